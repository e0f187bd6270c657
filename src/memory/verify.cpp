#include "memory/image.h"
#include "memory/page_run.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

PageRun run_at(const ImageReader& image, size_t block, uint64_t first, uint64_t longest) {
    const uint64_t pages = image.blocks()[block].length / page_size;
    PageRun run{image.state(block, first), 1};
    while (run.count < longest && first + run.count < pages &&
           image.state(block, first + run.count) == run.state)
        ++run.count;
    return run;
}

static void note(const VerifyHooks* hooks, const ImageReader& image, uint64_t done) {
    if (!hooks) return;
    if (hooks->progress) hooks->progress(done * page_size, image.data_pages() * page_size);
    if (hooks->should_stop && hooks->should_stop())
        throw Error(ErrorCode::cancelled,
                    fmt::format("the check of memory image '{}' was stopped", image.path()));
}

void verify_pages(const ImageReader& image, const VerifyHooks* hooks) {
    std::vector<uint8_t> buffer(pages_at_once * page_size);
    uint64_t done = 0;
    for (size_t block = 0; block < image.blocks().size(); ++block) {
        const uint64_t pages = image.blocks()[block].length / page_size;
        for (uint64_t page = 0; page < pages;) {
            const PageRun run = run_at(image, block, page, pages_at_once);
            if (run.state == PageState::data) {
                image.read_pages(block, page, run.count, buffer.data());
                note(hooks, image, done += run.count);
            }
            page += run.count;
        }
    }
}

} // namespace domsnap::memory
