// Guest memory as it was at one moment, and as a migration stream ("QEVM", version 3), both ways.
#pragma once

#include "refusal.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace fake {

constexpr uint64_t page_bytes = 4096;

struct RamBlock {
    std::string id = "pc.ram"; ///< its name in the stream
    uint64_t bytes = 0;
};

/// The other block, which is firmware and does not change.
inline constexpr const char* rom_name = "pc.bios";
inline constexpr uint64_t rom_bytes = 128 << 10;

struct Ram {
    RamBlock block;
    std::map<uint64_t, std::string> pages; ///< by offset; absent = zero
};

struct StreamState {
    std::string machine;
    std::string uuid;
    std::string status = "running"; ///< the run state that the guest had
    std::string rings;              ///< GuestMemory::rings() at that moment
};

struct StreamProgress {
    std::atomic<uint64_t> sent{0}, data_pages{0}, zero_pages{0};
};

/// put must throw to end it early. background: device state last and no END section, as background-snapshot
/// writes it.
void write_stream(const Ram& ram, const StreamState& state, bool background, StreamProgress& progress,
                  const std::function<void(const std::string&)>& put);

/// What xen-save-devices-state writes: without RAM, configuration and description.
std::string device_file(const StreamState& state);

/// get(n) gives exactly n bytes or throws. store gets each page of the block that the stream has; throws
/// Refusal in QEMU's words for what it cannot load.
StreamState read_stream(const RamBlock& block, const std::string& machine,
                        const std::function<std::string(size_t)>& get,
                        const std::function<void(uint64_t offset, const std::string& page)>& store);

} // namespace fake
