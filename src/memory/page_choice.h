// Which page is sent next: those that the guest waits for first, then what lies behind the last one of them,
// then the rest from the front. No page is given out twice. Does no I/O.
#pragma once

#include "memory/image.h"

#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace domsnap::memory {

/// Pages of one block in one state, one behind the other.
struct PagesToSend {
    size_t block = 0;
    uint64_t first = 0, count = 0;
    PageState state = PageState::data;
};

class PageChoice {
  public:
    explicit PageChoice(const ImageReader& image);

    /// The guest waits for them.
    void want(size_t block, uint64_t first, uint64_t count);
    /// QEMU has them (a bit a page, lowest first).
    void skip_received(size_t block, std::string_view bitmap);
    /// Nobody shall get it any more.
    void skip(size_t block, uint64_t page) { take(block, page, 1); }
    bool is_sent(size_t block, uint64_t page) const { return sent_[first_page_[block] + page]; }

    /// The next page that the guest waits for, of whatever state (zero pages too: QEMU emptied its RAM, and a
    /// page that is asked for must come), and that was not given out yet.
    std::optional<PagesToSend> wanted();
    /// At most `longest` pages of data that nobody asked for. Zero pages need not be sent: QEMU's are zero.
    std::optional<PagesToSend> unasked(uint64_t longest);
    uint64_t left() const { return left_; } ///< pages of data that were not given out

  private:
    void take(size_t block, uint64_t first, uint64_t count);
    bool is_open(size_t block, uint64_t page) const; ///< data, and not given out
    std::optional<PagesToSend> run_of_data(size_t block, uint64_t first, uint64_t longest);

    const ImageReader& image_;
    std::vector<uint64_t> first_page_; ///< of each block, in sent_
    std::vector<bool> sent_;
    uint64_t left_;
    std::deque<std::pair<size_t, uint64_t>> asked_;
    std::optional<std::pair<size_t, uint64_t>> behind_; ///< the last page that was asked for
    size_t scan_block_ = 0;
    uint64_t scan_page_ = 0;
};

} // namespace domsnap::memory
