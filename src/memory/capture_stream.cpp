#include "base/text.h"
#include "memory/byte_source.h"
#include "memory/capture.h"
#include "memory/capture_parts.h"
#include "memory/image_writer.h"
#include "memory/stream.h"
#include "os/bulk.h"
#include "os/file.h"

#include <chrono>
#include <exception>
#include <optional>

namespace domsnap::memory {

namespace {
/// Passes on what the stream gives and counts it, also while it is only drained.
class Counting : public ByteSource {
  public:
    explicit Counting(ByteSource& source) : source_(source) {}
    std::span<uint8_t> next() override {
        const auto chunk = source_.next();
        bytes += chunk.size();
        return chunk;
    }
    uint64_t bytes = 0;

  private:
    ByteSource& source_;
};

/// Time is looked at once per batch of pages; the listener hears of it ten times a second at most.
class Pace {
  public:
    bool due() {
        const auto now = std::chrono::steady_clock::now();
        if (now < next_) return false;
        next_ = now + std::chrono::milliseconds(100);
        return true;
    }

  private:
    std::chrono::steady_clock::time_point next_{};
};
} // namespace

static void write_image(StreamParser& parser, ImageWriter& writer, const ImageIdentity& identity,
                        const Control& control) {
    Pace pace;
    for (;;) {
        switch (parser.next()) {
        case StreamParser::Event::blocks:
            writer.begin(parser.ram_section_id(), parser.blocks());
            break;
        case StreamParser::Event::pages:
            writer.put(parser.pages());
            break;
        case StreamParser::Event::end:
            control.report("memory", writer.total_bytes(), writer.total_bytes());
            writer.finish({parser.header(), parser.device_state(), parser.vm_description(), identity});
            return;
        }
        if (pace.due()) control.report("memory", writer.seen_bytes(), writer.total_bytes());
    }
}

static void drain(ByteSource& source) {
    try {
        while (!source.next().empty()) {
        }
    } catch (const Error&) {
        // The stream cannot be read any more: nobody is kept waiting. What came first has been noted.
    }
}

CaptureResult capture_stream(int stream, const os::Fd& image, const std::string& image_path,
                             const ImageIdentity& identity, const Control& control,
                             const std::string& parent_path) {
    CaptureResult result;
    const auto parent = open_parent(parent_path, result.whole_because);
    ReadAhead ahead(stream);
    Counting source(ahead);
    ImageWriter writer(image, image_path, parent ? &*parent : nullptr);
    try {
        StreamParser parser(source);
        write_image(parser, writer, identity, control);
        os::sync_folder(text::folder_of(os::absolute_path(image_path)));
        result.complete = true;
    } catch (...) {
        note(result, std::current_exception());
        give_room_back(image, image_path);
    }
    drain(source);
    if (parent && !writer.has_parent()) result.whole_because = other_blocks(parent_path);
    result.stream_bytes = source.bytes;
    note(result, writer.counts());
    return result;
}

} // namespace domsnap::memory
