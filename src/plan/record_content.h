// What a record says of the machine and the files that a revert or a fork begins from, each looked at before
// anything is done with it.
#pragma once

#include "model/domain.h"
#include "model/snapshot.h"
#include "plan/facts.h"

#include <string>
#include <vector>

namespace domsnap::plan {

/// The machine as <domain> or <inactiveDomain> of the record has it, under the name that its domain has now.
/// Throws corrupt if the record has none.
model::Domain machine_of(const model::Snapshot& snapshot, const std::vector<model::Element>& elements,
                         const std::string& name);

/// The file of a point (disk: whose, in words). Throws conflict for one that is missing, damaged, or has lost
/// its internal snapshot.
const FileFacts& usable_file(const Facts& facts, const model::Snapshot& snapshot, const std::string& disk,
                             const model::DiskPoint& point);

/// External memory. Throws conflict for an image that cannot be used.
void check_image(const Facts& facts, const model::Snapshot& snapshot);

} // namespace domsnap::plan
