// Ctrl-C as a flag. The only place that installs signal handlers.
#pragma once

#include <atomic>

namespace domsnap::os {

/// SIGINT and SIGTERM set the flag that is returned; a second one ends the process at once. SIGPIPE is
/// ignored.
const std::atomic<bool>& watch_interrupts();

/// For a process that must work to its end: Ctrl-C, a closed terminal, a kill(1) and a size limit do not end
/// it.
void ignore_interrupts();

} // namespace domsnap::os
