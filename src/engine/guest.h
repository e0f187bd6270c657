// QEMU for a domain: started from a document, ended, with the run-time files that tell other processes about
// it.
#pragma once

#include "engine/session.h"
#include "machine/networks.h"

#include <string>

namespace domsnap::engine {

/// What was asked of QEMUs once is remembered here.
std::string cache_folder(const Folders& folders);

/// What the QEMU of a domain can do.
machine::EmulatorFacts emulator_of(const Folders& folders, const model::Domain& domain);
/// The domain as it can be run: the machine type resolved to its versioned name, so that a stream saved today
/// fits the QEMU of tomorrow, and its firmware chosen, for the same reason.
model::Domain runnable(const Folders& folders, model::Domain domain);

/// What a QEMU begins with.
struct Beginning {
    bool incoming = false; ///< it waits for a stream
    std::string ram;       ///< the memory image that its RAM is mapped from; "" = memory of its own
    bool tmpfs = false;    ///< and not from the image's file, but from a copy of it in the host's memory
    machine::Purpose purpose = machine::Purpose::boot;
};
/// Starts QEMU, stopped (or waiting for a stream), and writes live.xml. The session's monitor is the new one.
void start_qemu(Session& session, const model::Domain& domain, const Beginning& beginning);
/// The same beside the one that runs, waiting for a stream; its monitor is returned.
qmp::Client start_qemu_beside(Session& session, const model::Domain& domain, const std::string& ram,
                              bool tmpfs);
/// Whether QEMU would take it; nothing of the host is touched but, for a moment, its bridges.
void try_qemu(Session& session, const model::Domain& domain);
/// Ends it if it runs; reason as `domstate --reason` shows it.
void end_qemu(Session& session, const std::string& reason);
/// The same, but where its guest says that it stands still, QEMU is killed and not waited for: its memory is
/// given back while something else goes on. Nothing is found of it any more (View::process).
void kill_qemu(Session& session, const std::string& reason);
/// Returns when that one is gone, whose folder may be the next one's by now; at once if there is none. Throws
/// timed_out.
void await_killed_qemu(const Session& session);
/// Why the domain is in the state it is in.
void note_reason(Session& session, const std::string& reason);
std::string noted_reason(const machine::RuntimeFiles& files);

/// Feeds a memory image to a QEMU that waits for a stream, and waits until it has it all. mapped: main RAM is
/// there, only the rest is sent.
void load_memory(Session& session, const model::Domain& domain, const std::string& image, bool mapped);
/// The same from an internal snapshot of a qcow2 file, which is only read.
void load_vm_state(Session& session, const std::string& file, const std::string& tag);

} // namespace domsnap::engine
