#include "machine/process.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/arguments.h"
#include "machine/swtpm.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <chrono>
#include <csignal>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

using namespace std::chrono_literals;

/// Of a QEMU whose starter was killed before it wrote the pid file: whoever listens on the monitor's socket,
/// which lies in a folder that only the domain's owner can write.
std::optional<os::ProcessId> find_by_socket(const RuntimeFiles& files) {
    if (!os::exists(files.monitor())) return std::nullopt;
    try {
        const auto process =
            os::process_id(os::peer_pid(os::connect_unix(files.monitor(), Deadline::after(5s))));
        if (process) os::write_file(files.pid(), os::to_text(*process));
        return process;
    } catch (const Error&) {
        return std::nullopt; // nobody listens
    }
}

/// Start times count from the host's start, so after a reboot another process could have the very same: its
/// command line must name the domain's folder too. (By its last part: the path before it may be spelled in
/// several ways.)
bool runs_in(const RuntimeFiles& files, const os::ProcessId& process) {
    try {
        const auto words = os::read_file_start(fmt::format("/proc/{}/cmdline", process.pid), 1 << 20);
        if (words.empty()) {
            // It is ending. Its memory, and with it the command line, goes before its sockets and image locks
            // do, and whoever takes it for gone meets those.
            os::wait_until_gone(process, Deadline::after(10s));
            return false;
        }
        auto folder = text::base_name(files.folder);
        if (folder.ends_with(RuntimeFiles::next_suffix))
            folder.resize(folder.size() - std::string_view(RuntimeFiles::next_suffix).size());
        // A QEMU that took another's place was started in the folder beside.
        for (const auto* suffix : {"", RuntimeFiles::next_suffix})
            if (words.find(fmt::format("/{}{}/events", escape_commas(folder), suffix)) != std::string::npos)
                return true;
        return false;
    } catch (const Error&) {
        return false; // it has just ended
    }
}

Error not_the_one(const os::ProcessId& process, const std::string& why) {
    return {ErrorCode::conflict,
            fmt::format("process {} is recorded as the domain's QEMU, but {}", process.pid, why),
            "look at that process; if it is the domain's QEMU, end it by hand"};
}

os::Fd connect_to_process(const RuntimeFiles& files, const os::ProcessId& process, Deadline deadline) {
    try {
        auto socket = os::connect_unix(files.monitor(), deadline);
        if (os::peer_pid(socket) == process.pid) return socket;
        throw not_the_one(process, fmt::format("process {} listens on its monitor", os::peer_pid(socket)));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw not_the_one(process, fmt::format("nobody listens on '{}'", text::printable(files.monitor())));
    }
}

qmp::Client greeted(const RuntimeFiles& files, const os::ProcessId& process, Deadline deadline) {
    try {
        return qmp::Client::over(connect_to_process(files, process, deadline), deadline);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::timed_out) throw;
        throw Error(ErrorCode::busy,
                    fmt::format("the monitor '{}' of QEMU process {} does not answer",
                                text::printable(files.monitor()), process.pid),
                    "another program holds it, or QEMU hangs: try again when that one is done");
    }
}

Error lives_on(const os::ProcessId& process) {
    return {ErrorCode::timed_out,
            fmt::format("QEMU process {} did not end, not even by SIGKILL", process.pid),
            "the kernel may be waiting for a disk or network file system"};
}

bool ask_to_quit(const RuntimeFiles& files, const os::ProcessId& process, Deadline deadline) {
    try {
        auto monitor = greeted(files, process, deadline);
        qmp::quit(monitor, deadline);
        return true;
    } catch (const Error&) {
        return false; // another client holds the monitor, or it hangs: the signals follow
    }
}

/// Half of what is left, so that the harder way gets its turn.
Deadline half_of(Deadline deadline, std::chrono::milliseconds most) {
    return deadline.or_sooner(std::min(most, std::chrono::milliseconds(deadline.poll_ms() / 2)));
}

void remove_runtime_files(const RuntimeFiles& files) {
    for (const auto& name : os::list_folder(files.folder))
        if (name.ends_with(".sock") || name == "events.in")
            os::remove_file_durably(files.folder + "/" + name);
    os::remove_file_durably(files.live());
    os::remove_file_durably(files.pid()); // last: until now a second try finds what there is to end
}

} // namespace

std::optional<os::ProcessId> find(const RuntimeFiles& files) {
    if (!os::exists(files.pid())) return find_by_socket(files);
    const auto process = os::process_id_from_text(os::read_file_start(files.pid(), 64));
    return process && os::is_alive(*process) && runs_in(files, *process) ? process : std::nullopt;
}

qmp::Client connect(const RuntimeFiles& files, const os::ProcessId& process, const std::string& uuid,
                    Deadline deadline) {
    auto monitor = greeted(files, process, deadline);
    const auto answered = qmp::query_uuid(monitor, deadline);
    if (!uuid.empty() && answered != uuid)
        throw not_the_one(process,
                          fmt::format("it runs the domain with the uuid {}", text::printable(answered)));
    return monitor;
}

void end(const RuntimeFiles& files, const os::ProcessId& process, Deadline deadline) {
    const bool asked = ask_to_quit(files, process, half_of(deadline, 2s));
    bool gone = os::wait_until_gone(process, asked ? half_of(deadline, 15s) : Deadline::after(0s));
    for (const int signal : {SIGTERM, SIGKILL}) {
        if (gone) break;
        os::signal_process(process, signal);
        gone = os::wait_until_gone(process, signal == SIGTERM ? half_of(deadline, 10s) : deadline);
    }
    os::poll_exit(process);
    if (!gone) throw lives_on(process);
    end_swtpm(files); // it may write until it is gone, and the next one needs its folder
    remove_runtime_files(files);
    os::remove_file_durably(files.killed());
}

bool kill_stopped(const RuntimeFiles& files, const os::ProcessId& process, qmp::Client& monitor,
                  Deadline deadline) {
    // First of all, so that whoever reads QEMU's STOP knows what it is for.
    os::write_file(files.killed(), os::to_text(process));
    try {
        qmp::stop(monitor, deadline); // its disks are flushed when that is answered
    } catch (const Error&) {
        return false;
    }
    os::signal_process(process, SIGKILL);
    remove_runtime_files(files);
    return true;
}

void await_killed(const RuntimeFiles& files, Deadline deadline) {
    if (!os::exists(files.killed())) return;
    if (const auto process = os::process_id_from_text(os::read_file_start(files.killed(), 64))) {
        if (!os::wait_until_gone(*process, deadline)) throw lives_on(*process);
        os::poll_exit(*process);
    }
    end_swtpm(files);
    os::remove_file_durably(files.killed());
}

} // namespace domsnap::machine
