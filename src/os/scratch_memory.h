// Memory of this process for much that comes at once: reserved whole, and taken from the host as far as it is
// wanted ahead or written to. Does not know what it is for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace domsnap::os {

class ScratchMemory {
  public:
    /// Costs address space alone. Throws io.
    explicit ScratchMemory(uint64_t size);
    ~ScratchMemory();
    ScratchMemory(const ScratchMemory&) = delete;
    ScratchMemory& operator=(const ScratchMemory&) = delete;

    uint8_t* data() const { return start_; }
    uint64_t size() const { return size_; }
    /// Takes the first bytes now, so that who writes to them need not wait for the kernel to clear pages. As
    /// far as the kernel can (Linux 5.14) and has any; the rest is taken when it is written to.
    void take(uint64_t bytes) const;

  private:
    uint8_t* start_ = nullptr;
    uint64_t size_ = 0;
};

} // namespace domsnap::os
