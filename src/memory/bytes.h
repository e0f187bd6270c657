// Numbers in byte strings: QEMU's stream is big endian, the image's own metadata little endian.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace domsnap::memory {

/// The page checksums are written and read as they lie in RAM.
static_assert(std::endian::native == std::endian::little, "the memory image is little endian");

template <std::unsigned_integral T>
T from_big(const void* at) {
    const auto bytes = static_cast<const uint8_t*>(at);
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i)
        value = value << 8 | bytes[i];
    return static_cast<T>(value);
}

template <std::unsigned_integral T>
void put_big(std::string& out, T value) {
    for (size_t i = sizeof(T); i-- > 0;)
        out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
}

template <std::unsigned_integral T>
T from_little(const void* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

template <std::unsigned_integral T>
void put_little(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline std::string_view as_text(const uint8_t* at, size_t size) {
    return {reinterpret_cast<const char*>(at), size};
}

} // namespace domsnap::memory
