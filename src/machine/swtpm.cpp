#include "machine/swtpm.h"

#include "base/error.h"
#include "base/text.h"
#include "model/firmware.h"
#include "os/file.h"
#include "os/socket.h"

#include <chrono>
#include <csignal>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t max_state = 1 << 20;
constexpr const char* state_file = "/tpm2-00.permall";

void require_program(const char* name, const std::string& who) {
    if (!os::find_program(name).empty()) return;
    throw Error(ErrorCode::not_found,
                fmt::format("{} has an emulated TPM, and there is no program '{}' on PATH", who, name),
                "apt install swtpm swtpm-tools");
}

/// Without certificates: swtpm_setup would have them signed by an authority of the host's, whose keys it
/// makes outside of our folder.
void run_setup(const std::string& folder, const std::string& who) {
    const auto done = os::run(
        {"swtpm_setup", "--tpm2", "--tpm-state", folder, "--createek"},
        {.deadline = Deadline::after(120s), .max_output = 1 << 20, .should_stop = {}, .on_output = {}});
    if (done.exit_code == 0) return;
    const auto lines = text::split(text::trim(done.err.empty() ? done.out : done.err), '\n');
    throw Error(ErrorCode::refused_by_qemu,
                fmt::format("the TPM of {} could not be set up: {}", who, text::printable(lines.back())));
}

/// swtpm_setup makes it readable by a group, whatever the umask.
void make_private(const std::string& file) { os::write_file_durably(file, os::read_file(file, max_state)); }

bool is_swtpm(const os::ProcessId& process) {
    try {
        return os::read_file_start(fmt::format("/proc/{}/cmdline", process.pid), 4096).find("swtpm") !=
               std::string::npos;
    } catch (const Error&) {
        return false; // it has just ended
    }
}

} // namespace

void set_up_tpm(const std::string& folder, const std::string& who) {
    require_program("swtpm", who);
    if (os::exists(folder + state_file)) return;
    require_program("swtpm_setup", who);
    const auto fresh = folder + ".new";
    os::remove_tree(fresh);
    os::make_folders(fresh);
    run_setup(fresh, who);
    make_private(fresh + state_file);
    os::remove_tree(folder);
    os::rename_durably(fresh, folder);
}

std::pair<os::ProcessId, os::Fd> start_swtpm(const std::string& folder, const RuntimeFiles& files) {
    if (folder.find(',') != std::string::npos)
        throw Error(ErrorCode::unsupported,
                    fmt::format("swtpm cannot be told of the folder '{}': there is a comma in it", folder),
                    "choose another state folder");
    auto [its, qemus] = os::make_socket_pair();
    // What an interrupted load left would be taken for the state of a TPM that is switched on.
    os::remove_file_durably(folder + "/tpm2-00.volatilestate");
    const auto process = os::start_background(
        {.argv = {"swtpm", "socket", "--tpm2", "--terminate", "--ctrl", "type=unixio,clientfd=3",
                  "--tpmstate", fmt::format("dir={},mode=0600", folder)},
         .log_path = files.swtpm_log(),
         .passed = {{its.get(), 3}},
         .in_child = {},
         .environment = {}});
    os::write_file(files.swtpm(), os::to_text(process));
    return {process, std::move(qemus)};
}

void end_swtpm(const RuntimeFiles& files) {
    if (!os::exists(files.swtpm())) return;
    const auto process = os::process_id_from_text(os::read_file_start(files.swtpm(), 64));
    if (process && os::is_alive(*process) && is_swtpm(*process)) {
        bool gone = os::wait_until_gone(*process, Deadline::after(5s));
        for (const int signal : {SIGTERM, SIGKILL}) {
            if (gone) break;
            os::signal_process(*process, signal);
            gone = os::wait_until_gone(*process, Deadline::after(5s));
        }
    }
    if (process) os::poll_exit(*process);
    os::remove_file_durably(files.swtpm());
}

} // namespace domsnap::machine
