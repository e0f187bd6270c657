// The parent of a page server. It holds nothing that the next one needs but the way to QEMU: what QEMU has,
// the next server asks for.
#include "base/deadline.h"
#include "memory/page_process.h"
#include "memory/page_status.h"
#include "os/signals.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <domsnap/error.h>
#include <unistd.h>

namespace domsnap::memory {

static constexpr int socket_descriptor = 3;

/// True if it was killed. One that ended by itself has said why, and another would end the same way.
static bool was_killed(const os::ProcessId& server) {
    os::wait_until_gone(server, Deadline::never());
    const auto code = os::poll_exit(server);
    return !code || *code > 128;
}

static void supervise(PageProcess spec, const Reconnect& reconnect) {
    os::Fd socket(socket_descriptor);
    spec.supervisor = os::process_id(::getpid()).value_or(os::ProcessId{});
    while (socket) {
        if (!was_killed(start_page_server(std::move(socket), spec)) || !reconnect) return;
        std::fputs("domsnap-memory: the page server was killed; another one goes on\n", stderr);
        socket = reconnect();
        spec.take_over = true;
    }
}

int page_supervisor_main(int argc, const char* const* argv, const Guard& guard) {
    if (argc != 12) {
        std::fputs(
            "usage: domsnap-memory --supervise IMAGE STATUS MONITOR begin|take-over BLOCK FILE LOG GUARD "
            "LISTEN URI-PATH (domsnap starts it, with descriptor 3)\n",
            stderr);
        return 2;
    }
    os::ignore_interrupts();
    try {
        const PageProcess spec{
            argv[2], argv[3], argv[4], argv[8], std::strcmp(argv[5], "take-over") == 0, {argv[6], argv[7]},
            {}};
        supervise(spec, guard(argv[9], argv[10], argv[11]));
        return 0;
    } catch (const Error& error) {
        std::fprintf(stderr, "domsnap-memory: %s\n", error.what());
    }
    return 1;
}

} // namespace domsnap::memory
