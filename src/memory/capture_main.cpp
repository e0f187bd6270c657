#include "base/clock.h"
#include "memory/capture_report.h"
#include "memory/capture_status.h"
#include "memory/changed_capture.h"
#include "memory/identity.h"
#include "os/bulk.h"
#include "os/signals.h"
#include "os/socket.h"

#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace domsnap::memory {

// Progress gives way to the result: it is left out while nobody reads, so that the result always finds room.
static constexpr size_t unread_progress = 16 << 10;

static std::string read_identity(int fd) {
    std::string text;
    for (std::string more; text.size() <= max_identity && !(more = os::read_some(fd, 4096)).empty();)
        text += more;
    return text;
}

namespace {
/// What it says to everybody. A run-time folder that went with its QEMU, or is full, costs no capture.
class Told {
  public:
    Told(std::string path, const std::string& image) : path_(std::move(path)) {
        status_.image = image;
        status_.began = since_epoch<std::chrono::milliseconds>();
        if (const auto own = os::process_id(::getpid())) status_.process = *own;
        write();
    }
    void progress(uint64_t done, uint64_t total) {
        status_.done = done;
        status_.total = total;
        const auto now = since_epoch<std::chrono::milliseconds>();
        if (now - last_ < 100) return;
        last_ = now;
        write();
    }
    void end(const CaptureResult& result) {
        status_.state = result.complete ? CaptureStatus::State::complete : CaptureStatus::State::failed;
        if (result.complete) status_.done = status_.total;
        status_.error = result.error;
        status_.hint = result.hint;
        status_.ended = since_epoch<std::chrono::milliseconds>();
        write();
    }

  private:
    void write() const {
        try {
            if (!path_.empty()) write_capture_status(path_, status_);
        } catch (const Error&) {
            // Who waits hears it through the pipe, or sees it by the image.
        }
    }

    std::string path_;
    CaptureStatus status_;
    int64_t last_ = 0;
};
} // namespace

static Control told_through(Told& told) {
    Control control;
    control.progress = [&](const Progress& p) {
        os::write_line_if_room(CaptureDescriptors::report, to_line(CaptureProgress{p.done, p.total}),
                               unread_progress);
        told.progress(p.done, p.total);
    };
    return control;
}

// An identity that is not understood fails the capture only after the stream is drained, like every other
// error.
static CaptureResult capture(CaptureSource source, const os::Fd& image, const std::string& path,
                             const std::string& parent, Told& told) {
    CaptureResult failed;
    try {
        const ImageIdentity identity = identity_from_json(read_identity(CaptureDescriptors::identity));
        const Control control = told_through(told);
        const auto capture_it = source == CaptureSource::stream ? capture_stream : capture_changed;
        return capture_it(CaptureDescriptors::stream, image, path, identity, control, parent);
    } catch (const Error& e) {
        failed.error = e.what();
    }
    std::string sink(1 << 20, '\0');
    while (source == CaptureSource::stream &&
           os::read_chunk(CaptureDescriptors::stream, sink.data(), sink.size()) > 0) {
    }
    return failed;
}

int capture_main(int argc, const char* const* argv) {
    const bool changed = argc > 1 && std::strcmp(argv[1], of_changed_ram) == 0;
    if (changed) --argc, ++argv;
    if (argc != 4) {
        std::fputs("usage: domsnap-memory [--changed] IMAGE STATUS PARENT, each but the first may be empty "
                   "(domsnap starts it, with descriptors 3 to 6)\n",
                   stderr);
        return 2;
    }
    os::ignore_interrupts(); // a guest under QEMU 7.2 hangs if we go before its stream ends
    os::Fd image(CaptureDescriptors::image);
    Told told(argv[2], argv[1]);
    const auto source = changed ? CaptureSource::changed_ram : CaptureSource::stream;
    const CaptureResult result = capture(source, image, argv[1], argv[3], told);
    told.end(result); // before the lock goes: who finds the image free reads why
    image.reset();    // with the lock: who hears the result may find the image free
    os::write_line_if_room(CaptureDescriptors::report, to_line(result), SIZE_MAX);
    if (!result.complete) std::fprintf(stderr, "domsnap-memory: %s\n", result.error.c_str());
    return result.complete ? 0 : 1;
}

} // namespace domsnap::memory
