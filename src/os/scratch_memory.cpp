#include "os/scratch_memory.h"

#include "os/failure.h"

#include <algorithm>
#include <sys/mman.h>

namespace domsnap::os {

ScratchMemory::ScratchMemory(uint64_t size) : size_(std::max<uint64_t>(size, 1)) {
    void* const at =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail("reserve memory for", "what is copied");
    start_ = static_cast<uint8_t*>(at);
    ::madvise(at, size_, MADV_HUGEPAGE);
    ::madvise(at, size_, MADV_DONTDUMP); // it may hold a guest's secrets
}

ScratchMemory::~ScratchMemory() { ::munmap(start_, size_); }

void ScratchMemory::take(uint64_t bytes) const {
    ::madvise(start_, std::min(bytes, size_), MADV_POPULATE_WRITE);
}

} // namespace domsnap::os
