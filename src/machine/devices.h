// The names that a domain's disks have inside QEMU: ids of devices, as libvirt gives them ("virtio-disk0",
// "sata0-0-1"), stable as long as the document's target and address are. Pure.
#pragma once

#include "model/domain.h"

#include <string>
#include <string_view>

namespace domsnap::machine {

/// The id of the disk's -device. Throws not_found if the domain has no disk with that target, unsupported if
/// QEMU could not run it.
std::string disk_device_id(const model::Domain& domain, const std::string& target);

/// The object in QEMU whose "drive" says which node the disk reads and writes; "" where it cannot be changed
/// while QEMU runs: on USB and in a floppy drive the medium is another device's, and with an I/O thread of its
/// own QEMU (7.2 to 10.0) refuses a node of the main loop's.
std::string drive_path(const model::Domain& domain, const std::string& target);

/// Whether query-block's "qdev" means the device with that id. QEMU gives the id itself (ide, scsi), or the
/// path of the part that does the I/O ("/machine/peripheral/virtio-disk0/virtio-backend").
bool names_device(std::string_view qdev, std::string_view id);

} // namespace domsnap::machine
