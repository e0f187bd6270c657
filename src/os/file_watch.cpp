#include "os/file_watch.h"

#include "os/failure.h"
#include "os/place.h"
#include "os/socket.h"

#include <array>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace domsnap::os {

FileWatch::FileWatch() : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!inotify_) fail("watch", "files");
    auto [read_end, write_end] = make_pipe(4096);
    wake_read_ = std::move(read_end);
    wake_write_ = std::move(write_end);
}

bool FileWatch::add(const std::string& folder) {
    constexpr uint32_t changes =
        IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_MODIFY | IN_CLOSE_WRITE;
    const Fd held(open_at(folder, O_PATH | O_DIRECTORY));
    if (!held && (errno == ENOENT || errno == ENOTDIR)) return false;
    if (!held) fail("watch the folder", folder);
    const auto path = "/proc/self/fd/" + std::to_string(held.get());
    if (::inotify_add_watch(inotify_.get(), path.c_str(), changes | IN_ONLYDIR) >= 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    fail("watch the folder", folder);
}

bool FileWatch::wait(Deadline deadline) {
    pollfd both[2] = {{inotify_.get(), POLLIN, 0}, {wake_read_.get(), POLLIN, 0}};
    if (::poll(both, 2, deadline.poll_ms()) < 0 && errno != EINTR) fail("wait for", "changes of files");
    if (both[1].revents || !both[0].revents) return false;
    std::array<char, 16384> notes; // what they say does not matter: who asked looks for himself
    while (::read(inotify_.get(), notes.data(), notes.size()) > 0) {
    }
    return true;
}

void FileWatch::interrupt() const { (void)!::write(wake_write_.get(), "x", 1); }

} // namespace domsnap::os
