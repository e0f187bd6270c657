// What a qcow2 file that we write is put together from. Private to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace domsnap::image {

/// Appended as qcow2 has numbers: the greatest byte first.
template <class T>
void put(std::string& out, T value) {
    for (size_t i = sizeof(T); i-- > 0;)
        out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

constexpr uint64_t in_units(uint64_t bytes, uint64_t unit) { return bytes / unit + (bytes % unit != 0); }

} // namespace domsnap::image
