// The capture process's side.
#include "base/text.h"
#include "memory/bytes.h"
#include "memory/capture_parts.h"
#include "memory/changed_capture.h"
#include "memory/changed_ram.h"
#include "memory/changed_words.h"
#include "memory/stream.h"
#include "os/bulk.h"
#include "os/file.h"
#include "os/socket.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

namespace {

/// What the loader looks the section up by is what the stream says: any number does that no device has, and
/// those are counted from zero.
constexpr uint32_t ram_section = 0x7fff0000;

std::string need_line(SocketReader& starter) {
    if (auto line = starter.line(Deadline::never())) return *line;
    throw Error(ErrorCode::io, "whoever took the snapshot has gone before it was whole");
}

void say(const os::Fd& socket, std::string_view word) {
    os::send_with_fd(socket, fmt::format("{}\n", word), -1);
}

/// xen-save-devices-state writes the stream's magic and version, the devices' sections and the end mark (7.2
/// and 10.0). An image keeps the sections.
std::string sections_in(const std::string& state) {
    constexpr size_t head = 8, footer = 5;
    if (state.size() < head + footer + 1 || from_big<uint32_t>(state.data()) != wire::magic ||
        from_big<uint32_t>(state.data() + 4) != wire::version || state.back() != wire::end_of_stream ||
        state[state.size() - 1 - footer] != wire::section_footer)
        throw Error(ErrorCode::corrupt, "QEMU's device state is not what domsnap knows");
    return state.substr(head, state.size() - head - 1);
}

std::string need_device_state(SocketReader& starter) {
    const std::string line = need_line(starter);
    const auto size = line.starts_with(changed_words::state)
                          ? text::to_u64(line.substr(changed_words::state.size()))
                          : std::nullopt;
    if (!size || *size > max_device_state) throw Error(ErrorCode::corrupt, "the device state is missing");
    return sections_in(starter.bytes(*size));
}

class Capture {
  public:
    Capture(int socket, const os::Fd& image, const std::string& path, const std::string& parent)
        : socket_(socket), starter_(socket), source_(source_from_line(need_line(starter_))),
          whole_(ImageReader::open(source_.whole)), parent_(open_parent(parent, whole_because)),
          writer_(image, path, parent_ ? &*parent_ : nullptr), ram_(whole_, source_.process, source_.blocks) {
    }

    /// Returns when the starter is not needed any more.
    void copy() {
        writer_.begin(ram_section, ram_.stream_blocks());
        ram_.prepare();
        say(socket_, changed_words::ready);
        if (need_line(starter_) != changed_words::copy)
            throw Error(ErrorCode::corrupt, "the capture was told something else than to copy");
        ram_.copy();
        say(socket_, changed_words::copied);
        devices_ = need_device_state(starter_);
    }

    void write(const ImageIdentity& identity, const Control& control) {
        ram_.write(writer_, parent_ ? &*parent_ : nullptr, [&](uint64_t done, uint64_t total) {
            control.report("memory", done * page_size, total * page_size);
        });
        writer_.finish({whole_.stream_header(), devices_, R"({"devices": []})", identity});
        if (parent_ && !writer_.has_parent()) whole_because = other_blocks(parent_->path());
    }

    ImageWriter::Counts counts() const { return writer_.counts(); }
    std::string whole_because;

  private:
    os::Fd socket_;
    SocketReader starter_;
    ChangedSource source_;
    ImageReader whole_;
    std::optional<ImageReader> parent_;
    ImageWriter writer_;
    ChangedRam ram_;
    std::string devices_;
};

} // namespace

CaptureResult capture_changed(int socket, const os::Fd& image, const std::string& image_path,
                              const ImageIdentity& identity, const Control& control,
                              const std::string& parent) {
    CaptureResult result;
    try {
        Capture capture(socket, image, image_path, parent);
        capture.copy();
        capture.write(identity, control);
        os::sync_folder(text::folder_of(os::absolute_path(image_path)));
        result.complete = true;
        result.whole_because = capture.whole_because;
        note(result, capture.counts());
    } catch (...) {
        note(result, std::current_exception());
        give_room_back(image, image_path);
    }
    return result;
}

} // namespace domsnap::memory
