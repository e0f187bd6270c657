#include "memory/parent_pages.h"

#include "memory/page_run.h"

#include <cstring>
#include <domsnap/error.h>

namespace domsnap::memory {

static constexpr uint64_t pages_ahead = 64;

// The checksum first: it spares reading what is another page anyway. It proves nothing, because the guest
// chooses its pages and XXH3 can be made to collide.
bool ParentPages::holds(size_t block, uint64_t page, const uint8_t* data, uint64_t sum) {
    if (parent_.state(block, page) != PageState::data || parent_.checksum(block, page) != sum) return false;
    if (!is_in_window(block, page) && !read_window(block, page)) return false;
    return std::memcmp(window_.data() + (page - first_) * page_size, data, page_size) == 0;
}

bool ParentPages::is_in_window(size_t block, uint64_t page) const {
    return count_ > 0 && block == block_ && page >= first_ && page - first_ < count_;
}

bool ParentPages::read_window(size_t block, uint64_t page) {
    window_.resize(pages_ahead * page_size);
    block_ = block;
    first_ = page;
    for (const uint64_t longest : {pages_ahead, uint64_t{1}}) // a damaged page spoils no more than itself
        try {
            count_ = run_at(parent_, block, page, longest).count;
            parent_.read_pages(block, page, count_, window_.data());
            return true;
        } catch (const Error&) {
            count_ = 0;
        }
    return false;
}

} // namespace domsnap::memory
