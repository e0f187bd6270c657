// Child processes without a shell, and other processes by an identity that a reused pid cannot forge.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace domsnap::os {

struct RunResult {
    int exit_code = -1; ///< 128 + signal if it was killed
    std::string out, err;
};

/// Runs argv[0] (looked up on PATH if it has no '/') to its end, stdin from /dev/null. Output above
/// max_output bytes is cut. Throws not_found if it cannot be executed, timed_out (the child is killed) after
/// the deadline. should_stop is asked every 100 ms; when true the child gets SIGTERM, is waited for, and the
/// call throws cancelled. on_output, if given, gets stdout as it comes.
struct RunOptions {
    Deadline deadline = Deadline::never();
    size_t max_output = 64 << 20;
    std::function<bool()> should_stop;
    std::function<void(std::string_view)> on_output;
};
RunResult run(const std::vector<std::string>& argv, const RunOptions& options = {});

/// A process by pid and start time (field 22 of /proc/PID/stat): what is kept in pid files.
struct ProcessId {
    pid_t pid = 0;
    uint64_t start_ticks = 0;
    bool operator==(const ProcessId&) const = default;
};
std::optional<ProcessId>
process_id(pid_t pid); ///< nothing if there is no such process (a zombie counts as none)
bool is_alive(const ProcessId& id);
/// A descriptor that can be read once it has ended; empty if it has.
Fd hold_process(const ProcessId& id);
/// Sends the signal through a pidfd, after the start time was compared: never signals a stranger. False if it
/// is gone.
bool signal_process(const ProcessId& id, int signal);
/// True when it ended before the deadline.
bool wait_until_gone(const ProcessId& id, Deadline deadline);
std::string to_text(const ProcessId& id); ///< "PID START\n"
std::optional<ProcessId> process_id_from_text(std::string_view text);

/// Starts argv in a session of its own, which outlives the caller. stdin /dev/null; stdout and stderr
/// appended to log_path (0600). passed: descriptors that the child has open under these numbers (from, to in
/// the child). in_child runs between fork and exec (async-signal-safe things only; e.g. listen(2), so that
/// the socket's SO_PEERCRED names the child).
struct Background {
    std::vector<std::string> argv;
    std::string log_path;
    std::vector<std::pair<int, int>> passed;
    std::function<void()> in_child;
    std::vector<std::pair<std::string, std::string>> environment; ///< added to ours
    bool is_short_lived = false; ///< it ends, by SIGKILL, when the thread that started it does
};
ProcessId start_background(const Background& spec);
/// The exit status if the child (started by this very process) has ended; reaps it.
std::optional<int> poll_exit(const ProcessId& child);

std::string find_program(const std::string& name); ///< absolute path, or empty
std::string own_executable();                      ///< /proc/self/exe
/// A program of ours that is no command: in $DOMSNAP_LIBEXEC_DIR, beside this executable, in
/// ../libexec/domsnap as installed, or in ../domsnap-memory as built. Throws not_found.
std::string find_own_program(const std::string& name);

} // namespace domsnap::os
