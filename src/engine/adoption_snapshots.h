// One snapshot of libvirt's metadata, held against its files. Metadata name the overlay that each disk got;
// what was frozen is what the domain used before, and the overlay's header must agree.
#pragma once

#include "model/snapshot.h"
#include "plan/facts.h"

#include <domsnap/adopt.h>
#include <string>
#include <vector>

namespace domsnap::engine {

struct ReadSnapshot {
    model::Snapshot snapshot;                ///< with its points; its name at least
    std::vector<std::string> other_overlays; ///< that a revert of libvirt's put in the place of the first
    std::string problem;                     ///< not empty: it cannot be read
};
/// Reads the document at path (libvirt names the file for the snapshot).
ReadSnapshot read_libvirt_snapshot(const std::string& path);

/// Looks at the images that the snapshot and the definition name; facts grow.
void look_at_snapshot_files(plan::Facts& facts, const ReadSnapshot& read);

/// Empty, or why it cannot be taken. Reads its memory to the end.
std::string snapshot_problem(const ReadSnapshot& read, const model::Domain& definition,
                             const plan::Facts& facts, const Control& control);
/// "memory in /vm/ext.mem (gzip), disks vda, vdb external".
std::string snapshot_words(const model::Snapshot& snapshot);

} // namespace domsnap::engine
