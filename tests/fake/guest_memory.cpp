#include "guest_memory.h"

#include "disk.h"
#include "os/fd.h"
#include "store/checksum.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>

namespace fake {

namespace {

bool is_zero(const char* page) {
    static const std::string zeros(page_bytes, '\0');
    return std::memcmp(page, zeros.data(), page_bytes) == 0;
}

/// Between guard pages, as QEMU's blocks lie: neighbours would be one mapping.
char* reserve(uint64_t bytes) {
    void* const all = ::mmap(nullptr, bytes + 2 * page_bytes, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) throw Refusal("cannot set up guest memory: Cannot allocate memory");
    return static_cast<char*>(all) + page_bytes;
}

} // namespace

GuestMemory::GuestMemory(RamBlock block, const std::string& file) : block_(std::move(block)) {
    if (!file.empty() && file_size(file) < block_.bytes)
        throw Refusal("backing store size is too small for guest RAM '" + block_.id + "'");
    const domsnap::os::Fd fd(file.empty() ? -1 : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    void* const at =
        ::mmap(reserve(block_.bytes), block_.bytes, PROT_READ | PROT_WRITE,
               MAP_FIXED | MAP_PRIVATE | MAP_NORESERVE | (file.empty() ? MAP_ANONYMOUS : 0), fd.get(), 0);
    if (at == MAP_FAILED)
        throw Refusal(file.empty() ? "cannot set up guest memory '" + block_.id + "': Cannot allocate memory"
                                   : "can't open backing store " + file + " for guest RAM");
    start_ = static_cast<char*>(at);
    ::madvise(start_, block_.bytes, MADV_DONTFORK); // as QEMU's blocks are, and nothing else of a process
}

GuestMemory::~GuestMemory() { ::munmap(start_ - page_bytes, block_.bytes + 2 * page_bytes); }

void GuestMemory::write(uint64_t offset, const std::string& content) {
    if (offset >= block_.bytes) return;
    std::memcpy(start_ + offset, content.data(), std::min<uint64_t>(content.size(), block_.bytes - offset));
}

std::string GuestMemory::read(uint64_t offset, uint64_t size) const {
    if (offset >= block_.bytes) return {};
    return {start_ + offset, std::min(size, block_.bytes - offset)};
}

void GuestMemory::fill(uint64_t page_count) {
    // From the second page on: the first is left to fake-write.
    for (uint64_t number = 1; number <= page_count && (number + 1) * page_bytes <= block_.bytes; ++number)
        write(number * page_bytes, "page " + std::to_string(number));
}

Ram GuestMemory::copy() const {
    Ram ram{block_, {}};
    for (uint64_t at = 0; at < block_.bytes; at += page_bytes)
        if (!is_zero(start_ + at)) ram.pages.emplace(at, std::string(start_ + at, page_bytes));
    return ram;
}

std::string GuestMemory::sum() const {
    std::string all;
    for (const auto& [offset, page] : copy().pages)
        all += std::to_string(offset) + page;
    return sum_of(all);
}

std::string GuestMemory::sum_of(const std::string& bytes) { return domsnap::store::checksum_text(bytes); }

} // namespace fake
