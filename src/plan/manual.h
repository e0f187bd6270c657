// Disks with snapshot='manual': the user copies them, and the user puts the copies back. domsnap holds the
// guest still for the one, and refuses to go on without the other; it never touches the copies.
#pragma once

#include "model/snapshot.h"
#include "plan/facts.h"

#include <domsnap/host.h>
#include <string>
#include <vector>

namespace domsnap::plan {

bool has_manual(const model::Snapshot& snapshot);
/// What the user has to do when the snapshot is taken, a line for each such disk. halted: the domain is off
/// by then.
std::vector<std::string> copies_to_make(const model::Snapshot& snapshot, const Facts& facts, bool halted);
/// Throws conflict unless the copies can have been put back (nothing has the disks open) and the user says
/// that they are (--force).
void check_put_back(const model::Snapshot& snapshot, const RevertOptions& options, const Facts& facts);

} // namespace domsnap::plan
