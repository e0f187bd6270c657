#include "os/lock.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/place.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

static Fd open_lock_file(const std::string& path) {
    const int flags = O_RDWR | O_NOFOLLOW | O_NOCTTY;
    Fd there(uninterrupted([&] { return open_at(path, flags); }));
    if (!there && errno != ENOENT) fail("open the lock file", path);
    if (there) return there;
    const auto make = [&] { return uninterrupted([&] { return open_at(path, flags | O_CREAT, 0600); }); };
    Fd made(effect({Effect::Kind::make_file, path}, make));
    if (!made) fail("open the lock file", path);
    // The umask may have taken our own bits. One that another user of the same folder made stays as it is.
    const auto set_mode = [&] { return ::fchmod(made.get(), 0600); };
    if (effect({Effect::Kind::set_mode, path, {}, made.get()}, set_mode) != 0 && errno != EPERM)
        fail("set the permissions of", path);
    return made;
}

// Whoever removes a lock file (with its domain's folder, say) leaves those who wait with a lock on no name at
// all.
static bool is_still_at(const Fd& fd, const std::string& path) {
    struct stat opened {};
    if (::fstat(fd.get(), &opened) != 0) fail("look at the lock file", path);
    const auto named = file_info(path);
    return named && named->inode == opened.st_ino && named->device == opened.st_dev;
}

static bool lock_at_once(const Fd& fd, LockMode mode, const std::string& path) {
    const int operation = (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    if (uninterrupted([&] { return ::flock(fd.get(), operation); }) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    fail("lock", path);
}

// A shared holder clears the line: the exclusive holder that wrote it is gone, and of several readers none is
// "the" holder. Failing to write (a full disk) does not make the lock less held.
static void sign(const Fd& fd, LockMode mode, const std::string& who) {
    const auto clear = [&] { return ::ftruncate(fd.get(), 0); };
    const std::string what = "who holds a lock";
    if (effect({Effect::Kind::resize, what, {}, fd.get()}, clear) != 0 || mode == LockMode::shared) return;
    const std::string line = text::printable(who) + "\n";
    effect({Effect::Kind::write, what, {}, fd.get()},
           [&] { return ::pwrite(fd.get(), line.data(), line.size(), 0); });
}

static std::string holder_of(const Fd& fd) {
    char line[256];
    const ssize_t got = ::pread(fd.get(), line, sizeof line, 0);
    const auto words = text::trim({line, static_cast<size_t>(std::max<ssize_t>(got, 0))});
    return words.empty() ? "another process" : text::printable(words);
}

namespace {
struct Attempt {
    Fd fd;
    bool had = false;
};
} // namespace

static Attempt attempt(const std::string& path, LockMode mode, const std::string& who) {
    for (;;) {
        Attempt now{open_lock_file(path)};
        if (!lock_at_once(now.fd, mode, path)) return now;
        if (!is_still_at(now.fd, path)) continue;
        sign(now.fd, mode, who);
        now.had = true;
        return now;
    }
}

FileLock FileLock::try_take(const std::string& path, LockMode mode, const std::string& who) {
    FileLock lock;
    if (Attempt now = attempt(path, mode, who); now.had) lock.fd_ = std::move(now.fd);
    return lock;
}

FileLock FileLock::handed_over(int descriptor, const std::string& who) {
    FileLock lock;
    lock.fd_.reset(descriptor);
    sign(lock.fd_, LockMode::exclusive, who);
    return lock;
}

// Asked again and again, because flock(2) knows no time limit and interrupting it needs a signal of our own.
FileLock FileLock::take(const std::string& path, LockMode mode, const std::string& who, Deadline deadline,
                        const std::function<void(const std::string&)>& on_wait) {
    FileLock lock;
    for (int pause_ms = 1;; pause_ms = std::min(2 * pause_ms, 50)) {
        Attempt now = attempt(path, mode, who);
        if (now.had) {
            lock.fd_ = std::move(now.fd);
            return lock;
        }
        const std::string holder = holder_of(now.fd);
        if (pause_ms == 1 && on_wait) on_wait(holder);
        if (deadline.passed())
            throw Error(ErrorCode::busy, fmt::format("'{}' is locked by {}", text::printable(path), holder),
                        "wait until it is done, then try again");
        ::poll(nullptr, 0, std::min(pause_ms, deadline.poll_ms()));
    }
}

} // namespace domsnap::os
