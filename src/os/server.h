// The listening side of Unix sockets: who the peer is, what systemd hands over, and waiting for many sockets
// at once.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"
#include "os/wake.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace domsnap::os {

/// A listening socket for whoever the file's mode and group let in. What lies there is replaced only if
/// nobody listens on it (conflict otherwise).
Fd listen_unix(const std::string& path, unsigned mode, std::optional<gid_t> group);

/// The next peer that waits; empty if none does. Non-blocking, like the sockets that systemd hands over must
/// be. Throws busy where there is no descriptor left for it.
Fd accept_peer(const Fd& listener);

struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};
Peer peer_of(const Fd& socket);
std::optional<gid_t> group_named(const std::string& name);
/// As its primary group or one of the others that its user has.
bool is_member(const Peer& peer, gid_t group);
uid_t own_uid();

/// As many descriptors as this process may have at all, for who has a peer in each; what it starts gets the
/// limit that was there before, as select(2) in it may need. Returns how many.
uint64_t raise_descriptor_limit();

/// A socket that was inherited (sd_listen_fds(3)), by its name; the environment is cleared, so that children
/// do not take them for theirs.
struct Inherited {
    Fd socket;
    std::string name;
};
std::vector<Inherited> inherited_sockets();

/// What there is to read or room to write, without waiting. Nothing: the peer is gone.
std::optional<std::string> read_now(const Fd& socket, size_t max); ///< "" = nothing there now
std::optional<size_t> write_now(const Fd& socket, std::string_view data);

/// Waits for many descriptors. wake() may come from any thread; the rest is the one thread's that waits.
class Poller {
  public:
    Poller();
    struct Ready {
        int fd = -1;
        bool readable = false, writable = false;
    };
    void watch(int fd, bool readable, bool writable); ///< replaces what was wanted of it
    void forget(int fd);
    std::vector<Ready> wait(Deadline deadline);
    void wake() const { wake_.set(); }

  private:
    Fd epoll_;
    Wake wake_;
};

} // namespace domsnap::os
