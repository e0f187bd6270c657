#include "os/socket.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/place.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace domsnap::os {

static Fd unix_socket() {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) fail("make", "a Unix socket");
    return fd;
}

static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

static bool bind_at(const Fd& socket, const std::string& path) {
    const sockaddr_un address = address_of(path);
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

static Fd open_path(const std::string& path, int flags) { return Fd(open_at(path, O_PATH | flags)); }

/// Below a guarded folder by descriptors, as a path that is too long.
static bool can_be_said(const std::string& path) {
    return path.size() < sizeof(sockaddr_un::sun_path) && !Place(path).guarded();
}

// The folder by descriptor, and a short name in it that is then renamed: the name itself may be 255 bytes
// long. link(2), not rename(2): a socket that is there already must not be replaced.
static bool bind_long(const Fd& socket, const std::string& path) {
    const Fd folder = open_path(text::folder_of(path), O_DIRECTORY);
    if (!folder) return false;
    const std::string name = fmt::format(".domsnap-{}-{}.sock", ::getpid(), socket.get());
    ::unlinkat(folder.get(), name.c_str(), 0); // of a process with our pid that is long dead
    if (!bind_at(socket, fmt::format("/proc/self/fd/{}/{}", folder.get(), name))) return false;
    const bool linked =
        ::linkat(folder.get(), name.c_str(), folder.get(), text::base_name(path).c_str(), 0) == 0;
    const int error = errno;
    ::unlinkat(folder.get(), name.c_str(), 0);
    errno = error;
    return linked;
}

Fd bind_unix(const std::string& path) {
    Fd socket = unix_socket();
    ::fchmod(socket.get(), 0600); // bind(2) gives the file the mode of the socket
    const auto bind = [&] {
        return (can_be_said(path) ? bind_at(socket, path) : bind_long(socket, path)) ? 0 : -1;
    };
    if (effect({Effect::Kind::make_socket, path}, bind) != 0) fail("make the socket", path);
    return socket;
}

Fd bind_unix_nameless(const std::string& path) {
    Fd socket = unix_socket();
    ::fchmod(socket.get(), 0600);
    const auto bind = [&] { return bind_long(socket, path) ? 0 : -1; };
    if (effect({Effect::Kind::make_socket, path}, bind) != 0) fail("make the socket", path);
    return socket;
}

static bool connect_at(const Fd& socket, const std::string& path) {
    const sockaddr_un address = address_of(path);
    const auto call = [&] {
        return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    };
    return uninterrupted(call) == 0;
}

static bool connect_long(const Fd& socket, const std::string& path) {
    const Fd file = open_path(path, 0);
    return file && connect_at(socket, fmt::format("/proc/self/fd/{}", file.get()));
}

// SO_SNDTIMEO bounds connect(2) on a Unix socket, too (unix(7)); 0 takes the bound away again.
static void limit_waiting(const Fd& socket, int milliseconds) {
    const timeval limit{milliseconds / 1000, milliseconds % 1000 * 1000};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Fd connect_unix(const std::string& path, Deadline deadline) {
    Fd socket = unix_socket();
    limit_waiting(socket, std::max(1, deadline.poll_ms()));
    if (can_be_said(path) ? connect_at(socket, path) : connect_long(socket, path)) {
        limit_waiting(socket, 0);
        return socket;
    }
    if (errno == EAGAIN)
        throw Error(ErrorCode::timed_out,
                    fmt::format("the socket '{}' took no further client", text::printable(path)));
    if (errno == ECONNREFUSED)
        throw Error(ErrorCode::not_found,
                    fmt::format("nobody listens on the socket '{}'", text::printable(path)));
    fail("connect to the socket", path);
}

pid_t peer_pid(const Fd& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        fail("find the peer of", "a Unix socket");
    return peer.pid;
}

std::pair<Fd, Fd> make_pipe(size_t capacity) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("make", "a pipe");
    // A wish: /proc/sys/fs/pipe-max-size bounds what an unprivileged user gets, and a small pipe works too.
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(capacity));
    return {Fd(ends[0]), Fd(ends[1])};
}

std::pair<Fd, Fd> make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("make", "a socket pair");
    return {Fd(ends[0]), Fd(ends[1])};
}

static void attach(msghdr& message, char* control, size_t size, int fd) {
    message.msg_control = control;
    message.msg_controllen = size;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

void send_with_fd(const Fd& socket, std::string_view data, int fd) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    while (!data.empty()) {
        iovec part{const_cast<char*>(data.data()), data.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (fd >= 0) attach(message, control, sizeof control, fd);
        const auto send = [&] {
            return uninterrupted([&] { return ::sendmsg(socket.get(), &message, MSG_NOSIGNAL); });
        };
        const ssize_t sent = effect({Effect::Kind::send, std::string(data)}, send);
        if (sent < 0 && errno == EAGAIN) {
            pollfd room{socket.get(), POLLOUT, 0};
            ::poll(&room, 1, -1);
            continue;
        }
        if (sent < 0) fail("send to", "a Unix socket");
        data.remove_prefix(static_cast<size_t>(sent));
        fd = -1; // it went with the first bytes
    }
}

void set_send_buffer(const Fd& socket, int bytes) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool wait_readable(int fd, Deadline deadline) {
    for (;;) {
        pollfd wanted{fd, POLLIN, 0};
        const int ready = ::poll(&wanted, 1, deadline.poll_ms());
        if (ready > 0) return true; // an error or the end of the stream too: the next read tells
        if (ready < 0 && errno != EINTR) fail("wait for", "a descriptor");
        if (deadline.passed()) return false;
    }
}

std::string read_some(int fd, size_t max) {
    std::string data(max, '\0');
    for (;;) {
        const ssize_t got = uninterrupted([&] { return ::read(fd, data.data(), max); });
        if (got >= 0) {
            data.resize(static_cast<size_t>(got));
            return data;
        }
        // A peer that died with our bytes unread: for us the stream has ended, as with close(2).
        if (errno == ECONNRESET) return {};
        if (errno != EAGAIN) fail("read from", "a pipe or socket");
        wait_readable(fd, Deadline::never());
    }
}

} // namespace domsnap::os
