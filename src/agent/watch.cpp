#include "agent/freeze.h"
#include "base/error.h"
#include "base/text.h"
#include "os/bulk.h"
#include "os/file.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/socket.h"

#include <cstdio>
#include <fmt/format.h>

namespace domsnap::agent {

using namespace std::chrono_literals;

constexpr int pipe_descriptor = 3;

Watch Watch::start(const std::string& socket_path, std::chrono::seconds patience,
                   const std::string& log_path) {
    auto [theirs, ours] = os::make_pipe(4096);
    os::Background spec;
    spec.argv = {os::find_own_program("domsnap-thaw"), socket_path, std::to_string(patience.count())};
    spec.log_path = log_path;
    spec.passed = {{theirs.get(), pipe_descriptor}};
    spec.in_child = os::ignore_interrupts;
    os::start_background(spec);
    return Watch(std::move(ours));
}

bool Watch::release() {
    const bool in_time = os::write_line_if_room(pipe_.get(), "d\n", 0);
    pipe_.reset();
    return in_time;
}

/// True if the other side said so; false when it died, or the time is over. Who is released too late learns
/// it by the pipe, which has no reader then.
static bool was_released(Deadline deadline) {
    const os::Fd pipe(pipe_descriptor);
    return os::wait_readable(pipe.get(), deadline) && !os::read_some(pipe.get(), 1).empty();
}

int thaw_main(int argc, const char* const* argv) {
    const auto seconds = argc == 3 ? text::to_u64(argv[2]) : std::nullopt;
    if (!seconds) {
        std::fputs("usage: domsnap-thaw SOCKET SECONDS (domsnap starts it, with descriptor 3)\n", stderr);
        return 2;
    }
    if (was_released(Deadline::after(std::chrono::seconds(*seconds)))) return 0;
    try {
        // A guest that stands still thaws when it runs again, which may take a recovery by the next command.
        thaw(argv[1], Deadline::after(1h));
    } catch (const Error& error) {
        std::fprintf(stderr, "domsnap-thaw: %s\n", error.what());
        return 1;
    }
    return 0;
}

} // namespace domsnap::agent
