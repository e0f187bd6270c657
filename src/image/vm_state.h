// The VM state of an internal snapshot, read straight out of the qcow2 file: a QEMU migration stream. QEMU
// itself only loads it in place, which sets the file's own content back too; that must not happen to a file
// that others read (invariant I3). Layout: QEMU's docs/interop/qcow2.txt ("Snapshots"). The file is hostile
// input: every offset, size and count is checked. Knows nothing of guests.
#pragma once

#include <cstdint>
#include <domsnap/progress.h>
#include <string>

namespace domsnap::image {

/// Bytes of VM state in that snapshot; 0 = disk only. not_found if there is no such snapshot, conflict if
/// there are several of that name, corrupt for a file that is no sound qcow2 (or not version 2/3, or with
/// features that are not understood: unsupported).
uint64_t vm_state_size(const std::string& path, const std::string& tag);

/// Writes the whole VM state to out (a pipe or file), reading path read-only; nobody may write to that
/// snapshot's clusters, which qcow2 guarantees while the snapshot exists, also beside a QEMU that uses the
/// file. Progress what = "memory". Throws as above, io (the reader went away), cancelled.
void write_vm_state(const std::string& path, const std::string& tag, int out, const Control& control);

} // namespace domsnap::image
