#include "memory/image.h"
#include "memory/page_run.h"
#include "os/file.h"

#include <algorithm>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

namespace {

constexpr uint64_t pages_at_once = 256;

/// The pages of one file that its index says to be zeros.
class Zeros {
  public:
    Zeros(const ImageReader& image, const std::function<bool()>& should_stop)
        : image_(image), should_stop_(should_stop), file_(os::open_read(image.path())),
          buffer_(pages_at_once * page_size) {}

    void verify() {
        for (size_t block = 0; block < image_.blocks().size(); ++block)
            for (uint64_t page = 0; page < image_.blocks()[block].length / page_size;) {
                const PageRun run = run_at(image_, block, page, pages_at_once);
                const bool is_data = run.state == PageState::data && image_.layer(block, page) == 0;
                if (!is_data) verify_run(block, page, run.count);
                page += run.count;
            }
    }

  private:
    void verify_run(size_t block, uint64_t first, uint64_t count) {
        uint64_t at = image_.blocks()[block].offset + first * page_size;
        const uint64_t end = at + count * page_size;
        while (at < end) {
            const auto data = os::next_data(file_.get(), at, end);
            if (!data) return;
            verify_bytes(block, *data);
            at = data->start + data->size;
        }
    }

    void verify_bytes(size_t block, const os::FileRange& range) {
        if (should_stop_ && should_stop_())
            throw Error(ErrorCode::cancelled,
                        fmt::format("the check of memory image '{}' was stopped", image_.path()));
        os::read_at(file_.get(), buffer_.data(), range.size, range.start, image_.path());
        const auto end = buffer_.begin() + static_cast<ptrdiff_t>(range.size);
        const auto wrong = std::find_if(buffer_.begin(), end, [](char byte) { return byte != 0; });
        if (wrong == end) return;
        const auto& ram = image_.blocks()[block];
        const uint64_t at = range.start + static_cast<uint64_t>(wrong - buffer_.begin());
        throw Error(
            ErrorCode::corrupt,
            fmt::format("memory image '{}' was altered: page {} of '{}' was zeros when it was saved, and "
                        "holds something now",
                        image_.path(), (at - ram.offset) / page_size, ram.name));
    }

    const ImageReader& image_;
    const std::function<bool()>& should_stop_;
    os::Fd file_;
    std::vector<char> buffer_;
};

} // namespace

void verify_zeros(const ImageReader& image, const std::function<bool()>& should_stop) {
    Zeros(image, should_stop).verify();
}

} // namespace domsnap::memory
