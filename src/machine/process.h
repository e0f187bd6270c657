// QEMU as a process: started, found again, ended. A QEMU is found by its pid file (pid and start time) and by
// its QMP socket, whose listener must be that very process and report the domain's UUID; neither alone is
// trusted.
#pragma once

#include "base/deadline.h"
#include "machine/command_line.h"
#include "os/process.h"
#include "qmp/capabilities.h"
#include "qmp/client.h"

#include <optional>
#include <string>

namespace domsnap::machine {

/// Run-time files of one domain (0700), below the runtime folder:
/// UUID/{qemu.pid,qmp.sock,watch.sock,qemu.log,live.xml, events.in,events.out,…}.
struct RuntimeFiles {
    std::string folder; ///< RUNTIME_DIR/UUID
    std::string pid() const { return folder + "/qemu.pid"; }
    std::string monitor() const { return folder + "/qmp.sock"; }
    std::string watch() const { return folder + "/watch.sock"; }
    /// Of a QEMU that waits for a stream, for who watches over its loading.
    std::string guard() const { return folder + "/guard.sock"; }
    std::string log() const { return folder + "/qemu.log"; }
    /// Pid and start time of the swtpm that plays this QEMU's TPM, and what it said.
    std::string swtpm() const { return folder + "/swtpm.process"; }
    std::string swtpm_log() const { return folder + "/swtpm.log"; }
    /// QEMU's answers and events as QMP lines, which it writes there by itself, from its start to its end.
    std::string events() const { return folder + "/events.out"; }
    std::string live() const { return folder + "/live.xml"; }
    std::string reason() const { return folder + "/reason"; }
    /// Pid and start time of a QEMU that kill_stopped() has ended or is about to.
    std::string killed() const { return folder + "/killed"; }
    std::string warm() const { return folder + "/warm.json"; }   ///< what lies ready for going back
    std::string pages() const { return folder + "/pages.json"; } ///< memory that is still being loaded
    std::string ram() const { return folder + "/ram.json"; }     ///< the image that the guest's RAM came from
    std::string capture() const { return folder + "/capture.json"; }        ///< memory that is being saved
    std::string capture_abort() const { return folder + "/capture.abort"; } ///< the image that is not wanted

    /// For a second QEMU of the same domain, which is made ready while the first still runs: what has a fixed
    /// path outside of the folder is the first one's until take_place().
    RuntimeFiles next() const { return {folder + next_suffix, true}; }
    bool beside = false;
    static constexpr const char* next_suffix = ".next";
};

/// $DOMSNAP_QEMU if set, the domain's <emulator> first, else qemu-system-ARCH on PATH. Throws not_found
/// naming what was looked for and the package. (Order: <emulator>, $DOMSNAP_QEMU, PATH.)
std::string find_emulator(const model::Domain& domain);

/// What that QEMU can do (its version, machine types with aliases, migration capabilities, CPU models): asked
/// once of a short-lived `-machine none` QEMU and cached in cache_folder by the binary's path, size and
/// mtime.
struct EmulatorFacts {
    qmp::Capabilities capabilities;
    std::map<std::string, std::string> machine_aliases; ///< "q35" -> "pc-q35-7.2"
    std::vector<std::string> machines;
};
EmulatorFacts emulator_facts(const std::string& emulator, const std::string& cache_folder, Deadline deadline);
/// The versioned machine type; throws unsupported with the known ones as a hint.
std::string versioned_machine(const EmulatorFacts& facts, const std::string& machine);

/// Starts QEMU (paused: -S, or waiting for a stream with facts.incoming) and waits until its monitor answers.
/// If QEMU ends or says no, throws refused_by_qemu with the last lines of its log, nothing left running and
/// no pid file. facts.monitor_fd/watch_fd/channel_fds are filled in here. The sockets' listener is the child
/// itself.
struct Started {
    os::ProcessId process;
    qmp::Client monitor;
};
Started start(const model::Domain& domain, CommandLineFacts facts, const RuntimeFiles& files,
              Deadline deadline);

/// Empty, or why a QEMU of this domain cannot be made ready while another runs: something that only one can
/// have. Its writable disks are the caller's to compare.
std::string beside_problem(const model::Domain& domain);
/// The QEMU of next becomes the domain's: the folders change places, and its sockets get their paths. The
/// other one must have ended, or have been killed.
void take_place(const model::Domain& domain, const RuntimeFiles& files);
/// What descriptor a QEMU that was started for a stream has its run-time folder as.
int runtime_folder_descriptor(const model::Domain& domain);

/// Whether QEMU accepts this domain: a trial process (facts.trial) that is ended at once. Throws
/// refused_by_qemu.
void try_out(const model::Domain& domain, CommandLineFacts facts, const std::string& scratch_folder,
             Deadline deadline);

/// The running QEMU of a domain, or nothing. Stale files are left alone, strangers never signalled: pid,
/// start time and command line must all be right. Cheap when there is no pid file. Connects only if there is
/// a monitor's socket without a pid file (the starter was killed between the two), to learn whose it is.
std::optional<os::ProcessId> find(const RuntimeFiles& files);
/// Connects to it and checks uuid and peer. Throws busy if another client holds the monitor until the
/// deadline, conflict if who answers is not the process of the pid file.
qmp::Client connect(const RuntimeFiles& files, const os::ProcessId& process, const std::string& uuid,
                    Deadline deadline);

/// Ends it: QMP quit, then SIGTERM, then SIGKILL, each with a part of the deadline (2 s for a monitor that
/// another client holds: close yours first); then removes the run-time files, but not the log, the events and
/// the reason. Throws timed_out if it lives on.
void end(const RuntimeFiles& files, const os::ProcessId& process, Deadline deadline);

/// Its guest is stopped for good, and once it has said so QEMU is killed. What end() leaves is left, and
/// nobody finds it any more, but the kernel may still be taking back its memory (0.05 s for each GiB, during
/// which it has all of its files open). False if its guest does not say that it stands still: the caller has
/// to end() it.
bool kill_stopped(const RuntimeFiles& files, const os::ProcessId& process, qmp::Client& monitor,
                  Deadline deadline);
/// Returns when that one is gone; at once if there is none. Throws timed_out if it lives on.
void await_killed(const RuntimeFiles& files, Deadline deadline);

/// Why the last QEMU of this domain ended, from its own events: "shutdown" (the guest did), "destroyed" (it
/// was told to), "crashed" (the guest panicked, or QEMU ended without a word), "unknown" (there are no
/// events).
std::string exit_reason(const RuntimeFiles& files);

} // namespace domsnap::machine
