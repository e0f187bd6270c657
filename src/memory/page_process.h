// The page server as a process of its own session (the program domsnap-memory with --serve), and the one that
// watches over it (--supervise): they outlive the command that started them, and whatever kills the server
// costs the guest nothing but time, since another takes over.
#pragma once

#include "memory/block_content.h"
#include "os/fd.h"
#include "os/process.h"

#include <functional>
#include <string>

namespace domsnap::memory {

struct PageProcess {
    std::string image;
    std::string status; ///< where it tells how far it is (memory/page_status.h)
    std::string watch;  ///< QEMU's second monitor, over which it may stop the guest
    std::string log;
    bool take_over = false;   ///< QEMU has a part already
    BlockFile instead;        ///< read before QEMU gets its first byte; not by who takes over
    os::ProcessId supervisor; ///< whose child it is; pid 0: nobody's
};

/// socket: the other end of QEMU's incoming migration; given to the child and closed here. Before QEMU gets
/// its first byte, the status names the child.
os::ProcessId start_page_server(os::Fd socket, const PageProcess& spec);

/// A supervisor, and by it the server. guard: QEMU's monitor that is the supervisor's alone. listen: where
/// QEMU is let listen for another server; uri_path: the same as QEMU sees it.
os::ProcessId start_page_supervisor(os::Fd socket, const PageProcess& spec, const std::string& guard,
                                    const std::string& listen, const std::string& uri_path);

/// Another end for the next server, or nothing if there is no use in one.
using Reconnect = std::function<os::Fd()>;
/// Asked once, before the first server is started.
using Guard = std::function<Reconnect(const std::string& guard, const std::string& listen,
                                      const std::string& uri_path)>;

/// The program's main for --supervise, and for --serve; its descriptor 3 is the socket. pause_guest: asks the
/// QEMU behind that monitor to stop its guest. Return the exit status.
int page_supervisor_main(int argc, const char* const* argv, const Guard& guard);
int page_server_main(int argc, const char* const* argv,
                     const std::function<void(const std::string& watch)>& pause_guest);

} // namespace domsnap::memory
