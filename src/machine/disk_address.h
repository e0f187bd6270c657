// Where a disk sits on its bus: the document's <address type='drive'>, or libvirt's default for the target's
// letter.
#pragma once

#include "machine/elements.h"
#include "model/domain.h"

#include <string>

namespace domsnap::machine {

struct DriveAddress {
    uint64_t controller = 0, bus = 0, target = 0, unit = 0;
};

/// The <disk> element of that target.
const model::Element& disk_element(const model::Domain& domain, const model::Disk& disk);
/// 0 for "vda" and "sda", 25 for "vdz", 26 for "vdaa".
unsigned disk_index(const model::Disk& disk, const model::Element& element);
DriveAddress drive_address(const model::Disk& disk, const model::Element& element);

} // namespace domsnap::machine
