// The memory of another process: read and written from outside, and what the kernel tells of its pages. Needs
// ptrace rights over it: root, or the same user where kernel.yama.ptrace_scope is 0. Knows nothing of what
// the bytes mean, nor whether the process stands still.
#pragma once

#include "os/process.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace domsnap::os {

/// A line of /proc/PID/maps.
struct ForeignMapping {
    uint64_t start = 0, size = 0;
    uint64_t offset = 0;            ///< in the file
    uint64_t device = 0, inode = 0; ///< of the file, as stat(2) has them; 0 = anonymous
    bool writable = false, shared = false;
};

struct AddressRange {
    uint64_t start = 0, size = 0;
    bool operator==(const AddressRange&) const = default;
};

class ForeignMemory {
  public:
    /// Throws unsupported where the rights are missing, not_found if the process is gone.
    explicit ForeignMemory(const ProcessId& process);

    /// All of it, or an Error (io).
    void read(uint64_t address, void* into, size_t size) const;
    void write(uint64_t address, const void* from, size_t size) const;

    /// Reads from each page of the range, so that the process has all of them at hand.
    void touch(const AddressRange& range) const;

    std::vector<ForeignMapping> mappings() const;
    /// The one mapping that covers all of it; nothing if none does.
    std::optional<ForeignMapping> mapping_of(uint64_t address, uint64_t size) const;
    /// The pages of [start, start + size) that are the process's own: of a private mapping of a file those
    /// that it has written to, of anonymous memory those that it ever touched. The others read as the file,
    /// or as zeros. Whole pages, in order, neighbours joined.
    std::vector<AddressRange> own_pages(uint64_t start, uint64_t size) const;

  private:
    ProcessId process_;
};

} // namespace domsnap::os
