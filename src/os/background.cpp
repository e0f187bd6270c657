// Processes that outlive us.
#include "os/effect.h"
#include "os/failure.h"
#include "os/launch.h"
#include "os/place.h"
#include "os/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domsnap::os {

static Fd open_log(const std::string& path) {
    if (path.empty()) return Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY;
    Fd log(effect({Effect::Kind::make_file, path}, [&] { return open_at(path, flags, 0600); }));
    if (!log) fail("open the log", path);
    struct stat opened {};
    if (::fstat(log.get(), &opened) != 0) fail("look at", path);
    if (!S_ISREG(opened.st_mode)) return log; // a device is everybody's: /dev/null would be root's alone
    const auto set_mode = [&] { return ::fchmod(log.get(), 0600); };
    if (effect({Effect::Kind::set_mode, path, {}, log.get()}, set_mode) != 0)
        fail("set the permissions of", path);
    return log;
}

ProcessId start_background(const Background& spec) {
    const Fd nothing = open_nothing();
    const Fd log = open_log(spec.log_path);
    Launch child{.argv = spec.argv,
                 .environment = spec.environment,
                 .descriptors = {{nothing.get(), 0}, {log.get(), 1}, {log.get(), 2}},
                 .in_child =
                     [&spec, end_with_us = ends_with_us()] {
                         ::setsid();
                         if (spec.is_short_lived) end_with_us();
                         if (spec.in_child) spec.in_child();
                     },
                 .kind = Effect::Kind::background};
    child.descriptors.insert(child.descriptors.end(), spec.passed.begin(), spec.passed.end());
    const pid_t pid = launch(child);
    return {.pid = pid, .start_ticks = start_ticks_of(pid)};
}

std::optional<int> poll_exit(const ProcessId& child) {
    // WNOWAIT first: another child may have the pid by now, and its status is not ours to take.
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child.pid), &ended, WEXITED | WNOHANG | WNOWAIT) != 0)
        return std::nullopt;
    if (ended.si_pid != child.pid || start_ticks_of(child.pid) != child.start_ticks) return std::nullopt;
    int status = 0;
    if (::waitpid(child.pid, &status, WNOHANG) != child.pid) return std::nullopt;
    return exit_code_of(status);
}

} // namespace domsnap::os
