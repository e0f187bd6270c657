// swtpm: the program that plays the TPM of one QEMU, and ends with it. Its folder holds the TPM's permanent
// state; what a TPM forgets when it is switched off travels in QEMU's own streams. Knows nothing of
// snapshots.
#pragma once

#include "base/deadline.h"
#include "machine/process.h"
#include "os/fd.h"

#include <string>
#include <utility>

namespace domsnap::machine {

/// A new TPM with its endorsement keys, if the folder holds none. A setup that is killed leaves none. Throws
/// not_found (with the packages) if swtpm is not installed, refused_by_qemu with swtpm_setup's own words.
void set_up_tpm(const std::string& folder, const std::string& who);

/// Started for a QEMU that will get the other end of its socket. It ends when that is closed: a domsnap that
/// dies before QEMU has it takes swtpm along.
std::pair<os::ProcessId, os::Fd> start_swtpm(const std::string& folder, const RuntimeFiles& files);

/// Waits until the swtpm of a QEMU that has ended is gone too, which may write until then; ends it if it is
/// not in time. Nothing to do if there is none.
void end_swtpm(const RuntimeFiles& files);

} // namespace domsnap::machine
