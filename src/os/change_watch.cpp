#include "os/change_watch.h"

#include "os/failure.h"
#include "os/place.h"

#include <array>
#include <cstring>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace domsnap::os {

/// What epoll says beside pids.
static constexpr uint64_t notes = UINT64_MAX;

static bool expect(const Fd& epoll, const Fd& fd, uint64_t what) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = what;
    return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

ChangeWatch::ChangeWatch()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!epoll_ || !inotify_ || !expect(epoll_, inotify_, notes)) fail("watch", "files");
}

bool ChangeWatch::add(const std::string& folder) {
    constexpr uint32_t changes = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_MODIFY |
                                 IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
    const Fd held(open_at(folder, O_PATH | O_DIRECTORY));
    if (!held && (errno == ENOENT || errno == ENOTDIR)) return false;
    if (!held) fail("watch the folder", folder);
    const auto path = "/proc/self/fd/" + std::to_string(held.get());
    const int number = ::inotify_add_watch(inotify_.get(), path.c_str(), changes | IN_ONLYDIR);
    if (number >= 0) {
        folders_[number] = folder;
        return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) return false;
    fail("watch the folder", folder);
}

bool ChangeWatch::add(const ProcessId& process) {
    const auto known = processes_.find(process.pid);
    if (known != processes_.end() && known->second.id == process) return true;
    Fd end = hold_process(process);
    if (!end) return false;
    processes_.erase(process.pid);
    if (!expect(epoll_, end, static_cast<uint64_t>(process.pid))) fail("wait for the end of", "a process");
    processes_[process.pid] = {process, std::move(end)};
    return true;
}

void ChangeWatch::read_notes(Changes& changes) {
    alignas(inotify_event) std::array<char, 16384> buffer;
    ssize_t size = 0;
    while ((size = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0) {
        for (size_t at = 0; at < static_cast<size_t>(size);) {
            inotify_event note{};
            std::memcpy(&note, &buffer[at], sizeof note);
            const char* const name = &buffer[at + sizeof note]; // padded with NULs
            at += sizeof note + note.len;
            if (note.mask & IN_Q_OVERFLOW) changes.lost = true;
            const auto folder = folders_.find(note.wd);
            if (folder == folders_.end()) continue;
            changes.files.push_back({folder->second, note.len > 0 ? name : ""});
            if (note.mask & IN_IGNORED) folders_.erase(folder);
        }
    }
}

Changes ChangeWatch::take() {
    Changes changes;
    std::array<epoll_event, 64> events;
    int count = 0;
    do { // more than so many at once: the rest comes with the next call
        count = uninterrupted([&] { return ::epoll_wait(epoll_.get(), events.data(), events.size(), 0); });
        if (count < 0) fail("look for", "changes of files");
        for (int i = 0; i < count; ++i) {
            const auto what = events[static_cast<size_t>(i)].data.u64;
            if (what == notes) {
                read_notes(changes);
            } else if (const auto held = processes_.find(static_cast<pid_t>(what));
                       held != processes_.end()) {
                changes.ended.push_back(held->second.id);
                processes_.erase(held);
            }
        }
    } while (static_cast<size_t>(count) == events.size());
    return changes;
}

void ChangeWatch::wait(Deadline deadline, const Wake& wake) const {
    std::array<pollfd, 2> both{pollfd{epoll_.get(), POLLIN, 0}, pollfd{wake.fd(), POLLIN, 0}};
    if (::poll(both.data(), both.size(), deadline.poll_ms()) < 0 && errno != EINTR)
        fail("wait for", "changes of files");
}

} // namespace domsnap::os
