// An image back as an ordinary migration stream.
#include "memory/capture.h"
#include "memory/page_run.h"
#include "memory/stream_text.h"
#include "os/bulk.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

void require_same_size(const ImageReader& image, size_t block, const BlockContent& content) {
    const auto& there = image.blocks()[block];
    if (content.bytes.size() == there.length) return;
    throw Error(ErrorCode::conflict, fmt::format("{} has {} bytes in {}, and {} now", there.name,
                                                 there.length, image.path(), content.bytes.size()));
}

namespace {
/// Sends the stream in pieces of about a MiB as QEMU reads.
class StreamWriter {
  public:
    StreamWriter(const ImageReader& image, int fd, const Control& control,
                 const std::optional<BlockContent>& instead, bool main_is_there)
        : image_(image), fd_(fd), control_(control), instead_(instead), main_is_there_(main_is_there),
          text_(image), buffer_(pages_at_once * page_size) {
        text_.bytes().reserve(2 << 20);
    }

    void write() {
        text_.header();
        text_.start_of_ram();
        text_.begin_ram(wire::section_part);
        for (size_t block = 0; block < image_.blocks().size(); ++block)
            pages_of(block);
        text_.end_ram();
        text_.begin_ram(wire::section_end);
        text_.end_ram();
        text_.devices_and_end();
        if (fd_ >= 0) flush();
    }
    std::string& kept() { return text_.bytes(); } ///< all of it, if there is no descriptor

  private:
    void flush_if_large() {
        if (fd_ >= 0 && text_.bytes().size() >= 1 << 20) flush();
    }
    void flush() {
        const auto stop = [&] { return control_.cancelled(); };
        const std::string& bytes = text_.bytes();
        if (!os::write_as_read(fd_, bytes.data(), bytes.size(), stop, "QEMU's incoming migration"))
            throw Error(ErrorCode::cancelled, "loading the memory was stopped");
        text_.bytes().clear();
    }
    void pages_of(size_t block) {
        if (main_is_there_ && image_.blocks()[block].offset == 0) return pages_above_the_mapped(block);
        if (instead_ && instead_->block == image_.blocks()[block].name) return pages_instead(block);
        const uint64_t pages = image_.blocks()[block].length / page_size;
        for (uint64_t page = 0; page < pages;) {
            const PageRun run = run_at(image_, block, page, pages_at_once);
            if (run.state == PageState::data) data(block, page, run.count);
            // Zero pages too: QEMU fills ROMs and tables before a migration comes in, they need not be zero
            // there.
            for (uint64_t i = 0; run.state == PageState::zero && i < run.count; ++i)
                text_.zero(block, page + i);
            flush_if_large();
            page += run.count;
        }
    }
    /// The whole image at the chain's end is mapped; what the images above say goes over it, in pages of the
    /// guest's own.
    void pages_above_the_mapped(size_t block) {
        const uint64_t pages = image_.blocks()[block].length / page_size;
        const size_t mapped = image_.layers().size() - 1;
        for (uint64_t page = 0; page < pages;) {
            const PageRun run = run_at(image_, block, page, pages_at_once);
            const bool is_above = image_.layer(block, page) < mapped;
            if (is_above && run.state == PageState::data) data(block, page, run.count);
            for (uint64_t i = 0; is_above && run.state != PageState::data && i < run.count; ++i)
                text_.zero(block, page + i);
            flush_if_large();
            page += run.count;
        }
    }
    void pages_instead(size_t block) {
        const std::string& bytes = instead_->bytes;
        require_same_size(image_, block, *instead_);
        for (uint64_t at = 0; at < bytes.size(); at += page_size) {
            text_.data(block, at / page_size, bytes.data() + at);
            flush_if_large();
        }
    }
    void data(size_t block, uint64_t first, uint64_t count) {
        image_.read_pages(block, first, count, buffer_.data());
        for (uint64_t i = 0; i < count; ++i)
            text_.data(block, first + i, buffer_.data() + i * page_size);
        control_.report("memory", (sent_ += count) * page_size, image_.data_pages() * page_size);
    }

    const ImageReader& image_;
    int fd_;
    const Control& control_;
    const std::optional<BlockContent>& instead_;
    bool main_is_there_;
    StreamText text_;
    std::vector<char> buffer_;
    uint64_t sent_ = 0;
};
} // namespace

void write_stream(const ImageReader& image, int out, const Control& control,
                  const std::optional<BlockContent>& instead, bool main_is_there) {
    StreamWriter(image, out, control, instead, main_is_there).write();
}

std::string device_stream(const ImageReader& image, const std::optional<BlockContent>& instead) {
    const Control control;
    StreamWriter writer(image, -1, control, instead, true);
    writer.write();
    return std::move(writer.kept());
}

} // namespace domsnap::memory
