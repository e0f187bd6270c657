#include "memory/capture.h"
#include "os/bulk.h"
#include "os/file.h"

#include <poll.h>

namespace domsnap::memory {

// A shared lock, so that two who ask at once do not take each other for a capture.
bool capture_in_progress(const std::string& image_path) {
    if (!os::exists(image_path)) return false; // whoever removed it wants no image
    const os::Fd image = os::open_read(image_path);
    return !os::try_lock(image, os::LockMode::shared, image_path);
}

// Asked again and again: flock(2) knows no time limit.
bool wait_for_capture(const std::string& image_path, Deadline deadline) {
    while (capture_in_progress(image_path)) {
        if (deadline.passed()) return false;
        ::poll(nullptr, 0, deadline.or_sooner(std::chrono::milliseconds(20)).poll_ms());
    }
    return true;
}

} // namespace domsnap::memory
