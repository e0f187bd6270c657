#include "os/signals.h"

#include <csignal>

namespace domsnap::os {

static std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not wait for a lock");

// The second signal is raised again with its default action: the parent sees a process that a signal ended.
static void note_interrupt(int signal_number) {
    if (!interrupted.exchange(true)) return;
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);
}

const std::atomic<bool>& watch_interrupts() {
    struct sigaction action{};
    action.sa_handler = note_interrupt;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return interrupted;
}

} // namespace domsnap::os
