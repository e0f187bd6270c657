// A qcow2 file that holds nothing but the VM state of one internal snapshot: what QEMU's snapshot-load takes.
// Written by ourselves, because no tool writes one: qemu-io and qemu-img come near, and leave the state's
// size to be patched. Layout: QEMU's docs/interop/qcow2.txt. For run-time files: nothing is synced.
#pragma once

#include <string>
#include <string_view>

namespace domsnap::image {

/// conflict if the path exists; nothing is left on failure. The disk in it is 64 KiB of zeros.
void write_vm_state_file(const std::string& path, const std::string& tag, std::string_view state);

} // namespace domsnap::image
