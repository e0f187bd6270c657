#include "os/server.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/launch.h"
#include "os/place.h"
#include "os/socket.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

static bool somebody_listens(const std::string& path) {
    try {
        connect_unix(path, Deadline::after(std::chrono::seconds(1)));
        return true;
    } catch (const Error& error) {
        return error.code() == ErrorCode::timed_out; // too busy to take one more
    }
}

static void clear_stale(const std::string& path) {
    const auto info = file_info(path, false);
    if (!info) return;
    if (!info->is_socket || somebody_listens(path))
        throw Error(ErrorCode::conflict,
                    fmt::format("cannot listen on '{}': {}", text::printable(path),
                                info->is_socket ? "somebody listens there already" : "it is no socket"),
                    info->is_socket ? "another domsnapd runs; stop it first" : "");
    remove_file_durably(path);
}

Fd listen_unix(const std::string& path, unsigned mode, std::optional<gid_t> group) {
    make_folders(text::folder_of(path));
    clear_stale(path);
    Fd socket = bind_unix(path);
    const auto give = [&](int folder, const char* name) {
        return ::fchownat(folder, name, static_cast<uid_t>(-1), *group, AT_SYMLINK_NOFOLLOW);
    };
    const auto open_to = [&](int folder, const char* name) { return ::fchmodat(folder, name, mode, 0); };
    const Effect what{Effect::Kind::set_mode, path};
    if (group && effect(what, [&] { return at(path, give); }) != 0) fail("give a group to", path);
    if (effect(what, [&] { return at(path, open_to); }) != 0) fail("set the mode of", path);
    if (::listen(socket.get(), SOMAXCONN) != 0) fail("listen on", path);
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    return socket;
}

Fd accept_peer(const Fd& listener) {
    Fd peer(uninterrupted(
        [&] { return ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }));
    if (!peer && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        throw Error(ErrorCode::busy, failure("accept a peer of", "a Unix socket", errno).what());
    if (!peer && errno != EAGAIN && errno != ECONNABORTED) fail("accept a peer of", "a Unix socket");
    return peer;
}

Peer peer_of(const Fd& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        fail("find the peer of", "a Unix socket");
    return {peer.pid, peer.uid, peer.gid};
}

std::optional<gid_t> group_named(const std::string& name) {
    std::array<char, 65536> room;
    group entry{};
    group* found = nullptr;
    ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    if (!found) return std::nullopt;
    return entry.gr_gid;
}

bool is_member(const Peer& peer, gid_t wanted) {
    if (peer.gid == wanted) return true;
    std::array<char, 16384> room;
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(peer.uid, &entry, room.data(), room.size(), &found);
    if (!found) return false;
    std::vector<gid_t> groups(1024);
    int count = static_cast<int>(groups.size());
    if (::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) return false;
    groups.resize(static_cast<size_t>(count));
    return std::find(groups.begin(), groups.end(), wanted) != groups.end();
}

uid_t own_uid() { return ::geteuid(); }

uint64_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    descriptor_limit_of_children = limit;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

static std::string taken_from_environment(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value ? value : "";
    ::unsetenv(name);
    return text;
}

std::vector<Inherited> inherited_sockets() {
    constexpr int first = 3; // SD_LISTEN_FDS_START
    const auto pid = text::to_u64(taken_from_environment("LISTEN_PID"));
    const auto count = text::to_u64(taken_from_environment("LISTEN_FDS")).value_or(0);
    const auto names = text::split(taken_from_environment("LISTEN_FDNAMES"), ':');
    std::vector<Inherited> sockets;
    if (!pid || *pid != static_cast<uint64_t>(::getpid()) || count > 16) return sockets;
    for (size_t i = 0; i < count; ++i) {
        Fd socket(first + static_cast<int>(i));
        ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
        ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
        sockets.push_back({std::move(socket), i < names.size() ? names[i] : ""});
    }
    return sockets;
}

std::optional<std::string> read_now(const Fd& socket, size_t max) {
    thread_local std::vector<char> room; // anew for each, its pages would cost more than the bytes
    room.resize(std::max(room.size(), max));
    const ssize_t got = uninterrupted([&] { return ::recv(socket.get(), room.data(), max, 0); });
    if (got == 0 || (got < 0 && errno != EAGAIN)) return std::nullopt;
    return std::string(room.data(), got < 0 ? 0 : static_cast<size_t>(got));
}

std::optional<size_t> write_now(const Fd& socket, std::string_view data) {
    const ssize_t put =
        uninterrupted([&] { return ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL); });
    if (put < 0 && errno != EAGAIN) return std::nullopt;
    return put < 0 ? 0 : static_cast<size_t>(put);
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) fail("make", "what waits for sockets");
    watch(wake_.fd(), true, false);
}

void Poller::watch(int fd, bool readable, bool writable) {
    epoll_event event{};
    event.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("wait for", "a socket");
}

void Poller::forget(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::vector<Poller::Ready> Poller::wait(Deadline deadline) {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), deadline.poll_ms());
    if (count < 0 && errno != EINTR) fail("wait for", "sockets");
    std::vector<Ready> ready;
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<size_t>(i)];
        if (event.data.fd == wake_.fd()) {
            wake_.clear();
            continue;
        }
        // A peer that hung up is readable: the read tells.
        ready.push_back({event.data.fd, (event.events & ~EPOLLOUT) != 0, (event.events & EPOLLOUT) != 0});
    }
    return ready;
}

} // namespace domsnap::os
