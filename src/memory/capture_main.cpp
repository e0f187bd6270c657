#include "memory/capture_report.h"
#include "memory/identity.h"
#include "os/bulk.h"
#include "os/signals.h"
#include "os/socket.h"

#include <cstdio>

namespace domsnap::memory {

// Progress gives way to the result: it is left out while nobody reads, so that the result always finds room.
static constexpr size_t unread_progress = 16 << 10;

static std::string read_identity(int fd) {
    std::string text;
    for (std::string more; text.size() <= max_identity && !(more = os::read_some(fd, 4096)).empty();)
        text += more;
    return text;
}

// An identity that is not understood fails the capture only after the stream is drained, like every other
// error.
static CaptureResult capture(const os::Fd& image, const std::string& path, const std::string& parent) {
    CaptureResult failed;
    try {
        const ImageIdentity identity = identity_from_json(read_identity(CaptureDescriptors::identity));
        Control control;
        control.progress = [](const Progress& p) {
            os::write_line_if_room(CaptureDescriptors::report, to_line(CaptureProgress{p.done, p.total}),
                                   unread_progress);
        };
        return capture_stream(CaptureDescriptors::stream, image, path, identity, control, parent);
    } catch (const Error& e) {
        failed.error = e.what();
    }
    std::string sink(1 << 20, '\0');
    while (os::read_chunk(CaptureDescriptors::stream, sink.data(), sink.size()) > 0) {
    }
    return failed;
}

int capture_main(int argc, const char* const* argv) {
    if (argc != 2 && argc != 3) {
        std::fputs("usage: domsnap-memory IMAGE [PARENT] (domsnap starts it, with descriptors 3 to 6)\n",
                   stderr);
        return 2;
    }
    os::ignore_interrupts(); // a guest under QEMU 7.2 hangs if we go before its stream ends
    os::Fd image(CaptureDescriptors::image);
    const CaptureResult result = capture(image, argv[1], argc == 3 ? argv[2] : "");
    image.reset(); // with the lock: who hears the result may find the image free
    os::write_line_if_room(CaptureDescriptors::report, to_line(result), SIZE_MAX);
    if (!result.complete) std::fprintf(stderr, "domsnap-memory: %s\n", result.error.c_str());
    return result.complete ? 0 : 1;
}

} // namespace domsnap::memory
