// The page server as a process of its own session (the program domsnap-memory with --serve): it outlives the
// command that started it, and whatever kills it costs the guest nothing but time, since another can take
// over.
#pragma once

#include "os/fd.h"
#include "os/process.h"

#include <functional>
#include <string>

namespace domsnap::memory {

struct PageProcess {
    std::string image;
    std::string status;    ///< where it tells how far it is (memory/page_status.h)
    std::string watch;     ///< QEMU's second monitor, over which it may stop the guest
    std::string log;
    bool take_over = false; ///< QEMU has a part already
};

/// socket: the other end of QEMU's incoming migration; given to the child and closed here. Before QEMU gets
/// its first byte, the status names the child.
os::ProcessId start_page_server(os::Fd socket, const PageProcess& spec);

/// The program's main for --serve; its descriptor 3 is the socket. pause_guest: asks the QEMU behind that
/// monitor to stop its guest. Returns the exit status.
int page_server_main(int argc, const char* const* argv,
                     const std::function<void(const std::string& watch)>& pause_guest);

} // namespace domsnap::memory
