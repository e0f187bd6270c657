// An image back as an ordinary migration stream.
#include "base/text.h"
#include "memory/bytes.h"
#include "memory/capture.h"
#include "memory/page_run.h"
#include "memory/stream.h"
#include "os/bulk.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr uint64_t pages_at_once = 256;

namespace {
/// Gathers the stream in pieces of about a MiB and writes them as QEMU reads.
class Outgoing {
  public:
    Outgoing(int fd, const Control& control) : fd_(fd), control_(control) { bytes_.reserve(2 << 20); }

    std::string& bytes() { return bytes_; }
    void flush_if_large() {
        if (bytes_.size() >= 1 << 20) flush();
    }
    void flush() {
        const auto stop = [&] { return control_.cancelled(); };
        if (!os::write_as_read(fd_, bytes_.data(), bytes_.size(), stop, "QEMU's incoming migration"))
            throw Error(ErrorCode::cancelled, "loading the memory was stopped");
        bytes_.clear();
    }

  private:
    int fd_;
    const Control& control_;
    std::string bytes_;
};

class StreamWriter {
  public:
    StreamWriter(const ImageReader& image, int fd, const Control& control)
        : image_(image), control_(control), out_(fd, control), buffer_(pages_at_once * page_size) {}

    void write() {
        out_.bytes() += image_.stream_header();
        start_of_ram();
        section(wire::section_part);
        for (size_t block = 0; block < image_.blocks().size(); ++block)
            pages_of(block);
        end_of_section();
        section(wire::section_end);
        end_of_section();
        out_.bytes() += image_.device_state();
        description();
        out_.flush();
    }

  private:
    void section(wire::SectionType type) {
        out_.bytes().push_back(static_cast<char>(type));
        put_big(out_.bytes(), image_.ram_section_id());
    }
    void name(const std::string& text) {
        out_.bytes().push_back(static_cast<char>(text.size()));
        out_.bytes() += text;
    }
    void end_of_section() {
        put_big(out_.bytes(), uint64_t{wire::end_of_section});
        out_.bytes().push_back(static_cast<char>(wire::section_footer));
        put_big(out_.bytes(), image_.ram_section_id());
    }
    void start_of_ram() {
        section(wire::section_start);
        name("ram");
        put_big(out_.bytes(), uint32_t{0}); // instance
        put_big(out_.bytes(), wire::ram_version);
        uint64_t total = 0;
        for (const RamBlock& block : image_.blocks())
            total += block.length;
        put_big(out_.bytes(), total | wire::block_list);
        for (const RamBlock& block : image_.blocks()) {
            name(block.name);
            put_big(out_.bytes(), block.length);
        }
        end_of_section();
    }
    void pages_of(size_t block) {
        first_of_block_ = true;
        const uint64_t pages = image_.blocks()[block].length / page_size;
        for (uint64_t page = 0; page < pages;) {
            const PageRun run = run_at(image_, block, page, pages_at_once);
            if (run.state == PageState::data) data(block, page, run.count);
            // Zero pages too: QEMU fills ROMs and tables before a migration comes in, they need not be zero
            // there.
            if (run.state == PageState::zero) zeros(block, page, run.count);
            page += run.count;
        }
    }
    void record(size_t block, uint64_t page, uint64_t flag) {
        const uint64_t same = first_of_block_ ? 0 : uint64_t{wire::same_block};
        put_big(out_.bytes(), page * page_size | flag | same);
        if (first_of_block_) name(image_.blocks()[block].name);
        first_of_block_ = false;
    }
    void data(size_t block, uint64_t first, uint64_t count) {
        image_.read_pages(block, first, count, buffer_.data());
        for (uint64_t i = 0; i < count; ++i) {
            record(block, first + i, wire::data_page);
            out_.bytes().append(buffer_.data() + i * page_size, page_size);
        }
        out_.flush_if_large();
        control_.report("memory", (sent_ += count) * page_size, image_.data_pages() * page_size);
    }
    void zeros(size_t block, uint64_t first, uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) {
            record(block, first + i, wire::zero_page);
            out_.bytes().push_back('\0');
        }
        out_.flush_if_large();
    }
    void description() {
        out_.bytes().push_back(static_cast<char>(wire::end_of_stream));
        out_.bytes().push_back(static_cast<char>(wire::vm_description));
        put_big(out_.bytes(), static_cast<uint32_t>(image_.vm_description().size()));
        out_.bytes() += image_.vm_description();
    }

    const ImageReader& image_;
    const Control& control_;
    Outgoing out_;
    std::vector<char> buffer_;
    uint64_t sent_ = 0;
    bool first_of_block_ = true;
};
} // namespace

void write_stream(const ImageReader& image, int out, const Control& control) {
    StreamWriter(image, out, control).write();
}

} // namespace domsnap::memory
