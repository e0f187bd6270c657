// Unix stream sockets and pipes. Paths longer than sockaddr_un allows (107 bytes) work: the folder is opened
// and the socket named through /proc/self/fd.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace domsnap::os {

/// Bound, mode 0600, not yet listening (call listen(fd, n) in the process whose pid SO_PEERCRED shall name).
Fd bind_unix(const std::string& path);
/// The same for a socket that will be moved: the name by which the kernel knows it leads nowhere, so that a
/// listener that removes its socket by that name at its end (QEMU does) cannot remove another's.
Fd bind_unix_nameless(const std::string& path);
/// not_found if nobody listens there; timed_out if the listener's queue is full until the deadline
/// (connect(2) blocks).
Fd connect_unix(const std::string& path, Deadline deadline = Deadline::never());
/// The pid of the process that called listen(2) on the other side.
pid_t peer_pid(const Fd& socket);

std::pair<Fd, Fd> make_pipe(size_t capacity = 1 << 20); ///< read end, write end
std::pair<Fd, Fd> make_socket_pair();

/// Sends data, with one descriptor attached if fd >= 0. Never raises SIGPIPE.
void send_with_fd(const Fd& socket, std::string_view data, int fd);
/// How much may be on its way at most, for those whose urgent bytes must not wait behind others. A wish.
void set_send_buffer(const Fd& socket, int bytes);
/// Waits until something can be read or the deadline passes (false).
bool wait_readable(int fd, Deadline deadline);
/// Reads what is there (at most max); empty at the end of the stream. Blocks if nothing is there yet.
std::string read_some(int fd, size_t max);

} // namespace domsnap::os
