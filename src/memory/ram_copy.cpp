#include "memory/ram_copy.h"

#include "memory/page_run.h"
#include "os/file.h"

#include <algorithm>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

namespace {
/// Takes the pages over, run by run.
class Copying {
  public:
    Copying(const ImageReader& image, const os::MemoryFile& to, const VerifyHooks& hooks)
        : image_(image), to_(to), hooks_(hooks), block_(main_block(image)),
          buffer_(pages_at_once * page_size) {}

    void run() {
        const uint64_t pages = image_.blocks()[block_].length / page_size;
        for (uint64_t page = 0; page < pages;) {
            const PageRun run = run_at(image_, block_, page, pages_at_once);
            if (run.state == PageState::data)
                take(page, run.count);
            else
                to_.allocate(page * page_size, run.count * page_size);
            note(page += run.count, pages);
        }
    }

  private:
    void take(uint64_t first, uint64_t count) {
        image_.read_pages(block_, first, count, buffer_.data());
        to_.write(buffer_.data(), count * page_size, first * page_size);
    }
    void note(uint64_t done, uint64_t total) const {
        if (hooks_.progress) hooks_.progress(done * page_size, total * page_size);
        if (hooks_.should_stop && hooks_.should_stop())
            throw Error(ErrorCode::cancelled,
                        fmt::format("the copying of memory image '{}' was cancelled", image_.path()));
    }

    const ImageReader& image_;
    const os::MemoryFile& to_;
    const VerifyHooks& hooks_;
    size_t block_;
    std::vector<uint8_t> buffer_;
};
} // namespace

os::MemoryFile copy_ram(const ImageReader& whole, const VerifyHooks& hooks) {
    if (whole.layers().size() != 1)
        throw Error(ErrorCode::conflict, fmt::format("memory image '{}' is not whole", whole.path()));
    os::MemoryFile copy("domsnap-ram", whole.blocks()[main_block(whole)].length);
    Copying(whole, copy, hooks).run();
    copy.seal();
    return copy;
}

RamCopy identity_of(const os::MemoryFile& copy, const ImageReader& whole) {
    const auto place = os::file_info(fmt::format("/proc/self/fd/{}", copy.fd().get()));
    if (!place) throw Error(ErrorCode::io, "/proc/self/fd: cannot be looked into");
    return {fmt::format("{:016x}", whole.hash()), place->device, place->inode};
}

} // namespace domsnap::memory
