#include "memory/fold.h"

#include "base/text.h"
#include "memory/image_writer.h"
#include "memory/page_run.h"

#include <algorithm>
#include <domsnap/error.h>
#include <fmt/format.h>
#include <optional>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

/// The number of the layer that stays below; as many as there are if none does.
static size_t layer_of(const ImageReader& image, const std::string& parent) {
    const auto& layers = image.layers();
    if (parent.empty()) return layers.size();
    const auto found = std::ranges::find(layers, parent, &ImageLayer::path);
    if (found == layers.end() || found == layers.begin())
        throw Error(ErrorCode::conflict, fmt::format("memory image '{}' does not rest on '{}'",
                                                     text::printable(image.path()), text::printable(parent)));
    return static_cast<size_t>(found - layers.begin());
}

namespace {
/// Takes the pages over, run by run.
class Fold {
  public:
    Fold(const ImageReader& image, size_t below, ImageWriter& writer, const VerifyHooks& hooks)
        : image_(image), below_(below), writer_(writer), hooks_(hooks), buffer_(pages_at_once * page_size) {}

    void run() {
        for (size_t block = 0; block < image_.blocks().size(); ++block) {
            const uint64_t pages = image_.blocks()[block].length / page_size;
            for (uint64_t page = 0; page < pages;) {
                const PageRun run = run_at(image_, block, page, pages_at_once);
                if (run.state != PageState::absent) take(block, page, run);
                page += run.count;
            }
        }
    }

  private:
    void take(size_t block, uint64_t first, const PageRun& run) {
        const bool is_data = run.state == PageState::data;
        records_.clear();
        for (uint64_t page = first; page < first + run.count; ++page)
            if (is_data && image_.layer(block, page) >= below_)
                writer_.put_as_parent(block, page);
            else
                records_.push_back({page * page_size, is_data ? read(block, page, page - first) : nullptr,
                                    static_cast<uint32_t>(block)});
        writer_.put(records_);
        if (is_data) note(run.count);
    }
    const uint8_t* read(size_t block, uint64_t page, uint64_t place) {
        uint8_t* const into = buffer_.data() + place * page_size;
        image_.read_pages(block, page, 1, into);
        return into;
    }
    void note(uint64_t count) {
        done_ += count;
        if (hooks_.progress) hooks_.progress(done_ * page_size, image_.data_pages() * page_size);
        if (hooks_.should_stop && hooks_.should_stop())
            throw Error(ErrorCode::cancelled, fmt::format("writing the memory image '{}' anew was cancelled",
                                                          text::printable(image_.path())));
    }

    const ImageReader& image_;
    size_t below_;
    ImageWriter& writer_;
    const VerifyHooks& hooks_;
    std::vector<uint8_t> buffer_;
    std::vector<PageRecord> records_;
    uint64_t done_ = 0;
};
} // namespace

static std::vector<StreamBlock> stream_blocks(const ImageReader& image) {
    std::vector<StreamBlock> blocks;
    for (const RamBlock& block : image.blocks())
        blocks.push_back({block.name, block.length});
    return blocks;
}

void fold_image(const std::string& path, const std::string& parent_path, const os::Fd& fresh,
                const std::string& fresh_path, const VerifyHooks& hooks) {
    const ImageReader image = ImageReader::open(path);
    const size_t below = layer_of(image, parent_path);
    std::optional<ImageReader> parent;
    if (!parent_path.empty()) parent.emplace(ImageReader::open(parent_path));
    ImageWriter writer(fresh, fresh_path, parent ? &*parent : nullptr);
    writer.begin(image.ram_section_id(), stream_blocks(image));
    Fold(image, below, writer, hooks).run();
    std::vector<uint64_t> names = image.link().names_of_before;
    names.push_back(image.hash());
    writer.finish({image.stream_header(), image.device_state(), image.vm_description(), image.identity(),
                   std::move(names)});
}

} // namespace domsnap::memory
