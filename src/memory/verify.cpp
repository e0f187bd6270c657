#include "memory/image.h"
#include "memory/page_run.h"

#include <algorithm>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

size_t main_block(const ImageReader& image) {
    const auto first = std::ranges::find(image.blocks(), uint64_t{0}, &RamBlock::offset);
    return static_cast<size_t>(first - image.blocks().begin());
}

PageRun run_at(const ImageReader& image, size_t block, uint64_t first, uint64_t longest) {
    const uint64_t pages = image.blocks()[block].length / page_size;
    PageRun run{image.state(block, first), 1};
    const size_t layer = image.layer(block, first);
    while (run.count < longest && first + run.count < pages &&
           image.state(block, first + run.count) == run.state &&
           image.layer(block, first + run.count) == layer)
        ++run.count;
    return run;
}

namespace {
/// Reads some of the pages, and tells how far it has come.
class Verification {
  public:
    Verification(const ImageReader& image, const VerifyHooks* hooks, Pages which)
        : image_(image), hooks_(hooks), which_(which), buffer_(pages_at_once * page_size) {}

    void run() {
        each_run([&](size_t, uint64_t, uint64_t count) { total_ += count; });
        each_run([&](size_t block, uint64_t first, uint64_t count) {
            image_.read_pages(block, first, count, buffer_.data());
            note(done_ += count);
        });
    }

  private:
    template <class Visit>
    void each_run(const Visit& visit) const {
        for (size_t block = 0; block < image_.blocks().size(); ++block) {
            const uint64_t pages = image_.blocks()[block].length / page_size;
            for (uint64_t page = 0; page < pages;) {
                const PageRun run = run_at(image_, block, page, pages_at_once);
                const bool is_wanted = which_ == Pages::all || image_.layer(block, page) == 0;
                if (run.state == PageState::data && is_wanted) visit(block, page, run.count);
                page += run.count;
            }
        }
    }
    void note(uint64_t done) const {
        if (!hooks_) return;
        if (hooks_->progress) hooks_->progress(done * page_size, total_ * page_size);
        if (hooks_->should_stop && hooks_->should_stop())
            throw Error(ErrorCode::cancelled,
                        fmt::format("the check of memory image '{}' was stopped", image_.path()));
    }

    const ImageReader& image_;
    const VerifyHooks* hooks_;
    Pages which_;
    std::vector<uint8_t> buffer_;
    uint64_t done_ = 0, total_ = 0;
};
} // namespace

void verify_pages(const ImageReader& image, const VerifyHooks* hooks, Pages which) {
    Verification(image, hooks, which).run();
}

} // namespace domsnap::memory
