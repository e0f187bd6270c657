// A process whose memory is write-protected with userfaultfd, and which nobody serves any more: its threads
// stand still at their next write, for ever. It is freed from outside, through a copy of its own descriptor.
// Knows nothing of who protected the memory, or why.
#pragma once

#include "os/process.h"

namespace domsnap::os {

/// Takes the protection off every mapping, wakes who waits, and unregisters. True if there was something to
/// free; nothing is done to a process without a userfaultfd. Needs ptrace rights over it (root, or the same
/// user where kernel.yama.ptrace_scope is 0): io where they are missing. Linux 5.6.
bool free_from_userfaultfd(const ProcessId& process);

} // namespace domsnap::os
