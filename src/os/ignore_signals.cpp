#include "os/signals.h"

#include <csignal>

namespace domsnap::os {

void ignore_interrupts() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ})
        std::signal(number, SIG_IGN);
}

} // namespace domsnap::os
