// fork and exec with everything prepared before the fork: between the two only async-signal-safe calls are
// made, since another thread may have held any lock. Private to the room.
#pragma once

#include "os/effect.h"
#include "os/fd.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace domsnap::os {

/// What the child becomes.
struct Launch {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> environment; ///< added to ours
    std::vector<std::pair<int, int>>
        descriptors;                ///< (ours, its): 0, 1, 2 must be among the second; any overlap is fine
    std::function<void()> in_child; ///< sees our descriptors under our numbers
    Effect::Kind kind = Effect::Kind::run;
};

/// The pid of the child, which has executed argv[0] when this returns. Every descriptor that is not named is
/// closed in it, SIGPIPE and the signal mask are as in a fresh process, its umask is 077. Throws not_found if
/// there is no such program, io for anything else that kept it from being executed.
pid_t launch(const Launch& spec);

/// Where a process that raised its own limit keeps what its children are to have.
extern std::optional<rlimit> descriptor_limit_of_children;

/// For in_child: the child is killed when the thread that started it ends.
std::function<void()> ends_with_us();

/// As a shell counts: the exit code, or 128 + the signal.
int exit_code_of(int wait_status);

/// Field 22 of /proc/PID/stat, of a zombie too; 0 if there is no such process.
uint64_t start_ticks_of(pid_t pid);

/// /dev/null, for a child's stdin.
Fd open_nothing();

} // namespace domsnap::os
