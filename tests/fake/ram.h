// Guest memory as a sparse set of pages, and as a migration stream ("QEVM", version 3), both ways.
#pragma once

#include "refusal.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace fake {

constexpr uint64_t page_bytes = 4096;

struct Ram {
    std::string id = "pc.ram"; ///< the block's name in the stream
    uint64_t bytes = 0;
    std::map<uint64_t, std::string> pages; ///< by offset; absent = zero

    void write(uint64_t offset, const std::string& content);
    std::string read(uint64_t offset, uint64_t size) const;
    /// The file's first bytes.
    void map(const std::string& path);
    /// A first content, so that there is something to save: each page names its own offset.
    void fill(uint64_t page_count);
};

struct StreamState {
    std::string machine;
    std::string uuid;
    std::string status = "running"; ///< the run state that the guest had
};

struct StreamProgress {
    std::atomic<uint64_t> sent{0}, data_pages{0}, zero_pages{0};
};

/// put must throw to end it early. background: device state last and no END section, as background-snapshot
/// writes it.
void write_stream(const Ram& ram, const StreamState& state, bool background, StreamProgress& progress,
                  const std::function<void(const std::string&)>& put);

/// get(n) gives exactly n bytes or throws. Fills ram; throws Refusal in QEMU's words for what it cannot load.
StreamState read_stream(Ram& ram, const std::string& machine, const std::function<std::string(size_t)>& get);

} // namespace fake
