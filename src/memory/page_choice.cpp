#include "memory/page_choice.h"

#include <algorithm>

namespace domsnap::memory {

static uint64_t pages_of(const RamBlock& block) { return block.length / page_size; }

PageChoice::PageChoice(const ImageReader& image) : image_(image), left_(image.data_pages()) {
    uint64_t pages = 0;
    for (const RamBlock& block : image.blocks()) {
        first_page_.push_back(pages);
        pages += pages_of(block);
    }
    sent_.resize(pages);
}

void PageChoice::want(size_t block, uint64_t first, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i)
        asked_.emplace_back(block, first + i);
}

void PageChoice::take(size_t block, uint64_t first, uint64_t count) {
    for (uint64_t page = first; page < first + count; ++page) {
        if (is_open(block, page)) --left_;
        sent_[first_page_[block] + page] = true;
    }
}

void PageChoice::skip_received(size_t block, std::string_view bitmap) {
    const uint64_t pages = std::min<uint64_t>(pages_of(image_.blocks()[block]), bitmap.size() * 8);
    for (uint64_t page = 0; page < pages; ++page)
        if (static_cast<uint8_t>(bitmap[page / 8]) >> (page % 8) & 1) take(block, page, 1);
}

bool PageChoice::is_open(size_t block, uint64_t page) const {
    return !is_sent(block, page) && image_.state(block, page) == PageState::data;
}

std::optional<PagesToSend> PageChoice::wanted() {
    while (!asked_.empty()) {
        const auto [block, page] = asked_.front();
        asked_.pop_front();
        if (is_sent(block, page)) continue;
        take(block, page, 1);
        behind_ = {block, page};
        return PagesToSend{block, page, 1, image_.state(block, page)};
    }
    return std::nullopt;
}

std::optional<PagesToSend> PageChoice::run_of_data(size_t block, uint64_t first, uint64_t longest) {
    const uint64_t end = std::min(first + longest, pages_of(image_.blocks()[block]));
    uint64_t page = first;
    while (page < end && is_open(block, page))
        ++page;
    if (page == first) return std::nullopt;
    take(block, first, page - first);
    return PagesToSend{block, first, page - first, PageState::data};
}

std::optional<PagesToSend> PageChoice::unasked(uint64_t longest) {
    if (behind_) {
        const auto [block, page] = *behind_;
        behind_.reset();
        if (auto run = run_of_data(block, page + 1, longest)) return run;
    }
    for (; scan_block_ < image_.blocks().size(); ++scan_block_, scan_page_ = 0) {
        const uint64_t pages = pages_of(image_.blocks()[scan_block_]);
        while (scan_page_ < pages && !is_open(scan_block_, scan_page_))
            ++scan_page_;
        if (auto run = scan_page_ < pages ? run_of_data(scan_block_, scan_page_, longest) : std::nullopt)
            return run;
    }
    return std::nullopt;
}

} // namespace domsnap::memory
