#include "os/bulk.h"

#include "os/effect.h"
#include "os/failure.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace domsnap::os {

size_t read_chunk(int fd, void* into, size_t max) {
    size_t have = 0;
    while (have < max) {
        const ssize_t got =
            uninterrupted([&] { return ::read(fd, static_cast<char*>(into) + have, max - have); });
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break; // a peer that died: for us the stream has ended
        if (got > 0) {
            have += static_cast<size_t>(got);
        } else if (errno == EAGAIN) {
            pollfd wait{fd, POLLIN, 0};
            ::poll(&wait, 1, -1);
        } else {
            fail("read from", "a pipe or socket");
        }
    }
    return have;
}

// What is left of the vector after the first `wrote` bytes of it.
static void consume(std::span<iovec>& left, size_t wrote) {
    while (!left.empty() && wrote >= left.front().iov_len) {
        wrote -= left.front().iov_len;
        left = left.subspan(1);
    }
    if (wrote == 0) return;
    left.front().iov_base = static_cast<char*>(left.front().iov_base) + wrote;
    left.front().iov_len -= wrote;
}

int write_pieces_at(int fd, std::span<const Piece> pieces, uint64_t offset) {
    std::vector<iovec> all;
    all.reserve(pieces.size());
    for (const Piece& piece : pieces)
        all.push_back({const_cast<void*>(piece.data), piece.size});
    for (std::span<iovec> left = all; !left.empty();) {
        const int count = static_cast<int>(std::min<size_t>(left.size(), IOV_MAX));
        const auto write = [&] { return ::pwritev(fd, left.data(), count, static_cast<off_t>(offset)); };
        const ssize_t wrote = effect({Effect::Kind::write, {}, {}, fd}, [&] { return uninterrupted(write); });
        if (wrote < 0) return errno;
        if (wrote == 0) return EIO;
        offset += static_cast<uint64_t>(wrote);
        consume(left, static_cast<size_t>(wrote));
    }
    return 0;
}

void resize_file(const Fd& fd, uint64_t size, const std::string& path_for_messages) {
    const auto resize = [&] {
        return uninterrupted([&] { return ::ftruncate(fd.get(), static_cast<off_t>(size)); });
    };
    if (effect({Effect::Kind::resize, path_for_messages, {}, fd.get()}, resize) != 0)
        fail("set the size of", path_for_messages);
}

void punch_hole(const Fd& fd, uint64_t offset, uint64_t size, const std::string& path_for_messages) {
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    const auto from = static_cast<off_t>(offset), length = static_cast<off_t>(size);
    const auto punch = [&] {
        return uninterrupted([&] { return ::fallocate(fd.get(), mode, from, length); });
    };
    if (effect({Effect::Kind::write, path_for_messages, {}, fd.get()}, punch) == 0) return;
    if (errno != EOPNOTSUPP) fail("make a hole in", path_for_messages);
    const std::vector<char> zeros(size);
    const Piece piece{zeros.data(), zeros.size()};
    if (const int error = write_pieces_at(fd.get(), {&piece, 1}, offset))
        throw failure("write", path_for_messages, error);
}

void start_writeback(const Fd& fd) { ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

bool try_lock(const Fd& fd, LockMode mode, const std::string& path_for_messages) {
    const int operation = (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    if (uninterrupted([&] { return ::flock(fd.get(), operation); }) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    fail("lock", path_for_messages);
}

namespace {
// write(2) to a pipe raises SIGPIPE where send(2) has MSG_NOSIGNAL; a library may not change the process's
// handlers, so the signal is held back in this thread and taken out if it came.
class NoSigpipe {
  public:
    NoSigpipe() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~NoSigpipe() {
        const int saved = errno;
        const timespec now{};
        if (!sigismember(&before_, SIGPIPE)) ::sigtimedwait(&pipe_, nullptr, &now);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = saved;
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;

  private:
    sigset_t pipe_{}, before_{};
};
} // namespace

static void set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK)) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static ssize_t write_quietly(int fd, const void* data, size_t size) {
    const NoSigpipe guard;
    return uninterrupted([&] { return ::write(fd, data, size); });
}

bool write_as_read(int fd, const void* data, size_t size, const std::function<bool()>& should_stop,
                   const std::string& name_for_messages) {
    set_nonblocking(fd);
    for (auto from = static_cast<const char*>(data); size > 0;) {
        if (should_stop && should_stop()) return false;
        const ssize_t wrote = write_quietly(fd, from, size);
        if (wrote >= 0) {
            from += wrote;
            size -= static_cast<size_t>(wrote);
        } else if (errno == EAGAIN) {
            pollfd wait{fd, POLLOUT, 0};
            ::poll(&wait, 1, 100);
        } else {
            fail("write to", name_for_messages);
        }
    }
    return true;
}

bool write_line_if_room(int fd, std::string_view line, size_t max_unread) {
    int unread = 0;
    if (::ioctl(fd, FIONREAD, &unread) != 0 || static_cast<size_t>(unread) > max_unread) return false;
    set_nonblocking(fd);
    return write_quietly(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

} // namespace domsnap::os
