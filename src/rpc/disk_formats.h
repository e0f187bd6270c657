// The formats of disks in a definition that does not say them. virt-install and virt-manager leave <driver>
// out for every URI that does not begin with qemu:, and a disk without one is raw.
#pragma once

#include "rpc/procedures.h"

#include <string>

namespace domsnap::rpc {

/// The document, with <driver type=> for each file that is a volume of an active pool and about which it says
/// nothing: the format that clients are told of that volume. A format that was found in the file's own bytes
/// is taken only where it leads to no other file (docs/security.md): throws Error otherwise. Text that is no
/// domain stays as it is.
std::string with_disk_formats(Call& call, const std::string& xml);

} // namespace domsnap::rpc
