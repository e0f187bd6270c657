// A revert in the making, and the parts that plan it: what becomes of the disks, and the two ways to the
// guest. Private to the room.
#pragma once

#include "plan/planner.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace domsnap::plan {

struct RevertDraft {
    const model::Snapshot& snapshot;
    const RevertOptions& options;
    const Facts& facts;
    const model::SnapshotTree& tree;
    model::Domain definition, live; ///< as they will be
    std::set<std::string> taken;
    Plan plan;
    std::string why_not_in_place = {};       ///< "" = in place
    std::vector<ApplyInternal> applied = {}; ///< internal snapshots that set a file's content back
    // In place:
    std::map<std::string, unsigned> nodes = {};       ///< the next free number, by target
    std::map<std::string, OpenedImage> overlays = {}; ///< the fresh ones, by target
    PrepareState state = {};

    bool in_place() const { return why_not_in_place.empty(); }
    bool with_memory() const {
        return snapshot.memory.location == model::Location::internal ||
               snapshot.memory.location == model::Location::external;
    }
    bool starts() const { return with_memory() || options.running || options.paused; }
    bool ends_paused() const {
        return options.paused || (!options.running && snapshot.state == model::SnapshotState::paused);
    }
};

/// The documents, and the way. Throws what stands in the way of any revert to that snapshot.
RevertDraft begin_revert(const std::string& name, const RevertOptions& options, const Facts& facts,
                         const model::SnapshotTree& tree);

/// The file that holds the point. Throws conflict, naming snapshot, disk and file, if it cannot be used.
const FileFacts& usable_file(const RevertDraft& draft, const std::string& disk,
                             const model::DiskPoint& point);
/// Where internal memory is.
model::DiskPoint memory_point(const model::Snapshot& snapshot);

/// Fresh overlays, copies, and the documents that name them.
void plan_disks(RevertDraft& draft);

/// How a new QEMU gets the guest.
StartGuest start_step(RevertDraft& draft);
/// The old guest is ended, a new process takes over.
void plan_new_process(RevertDraft& draft);

/// "", or why the running QEMU's guest cannot become the snapshot's.
std::string in_place_problem(const RevertDraft& draft);
/// The running QEMU's guest becomes the snapshot's.
void plan_in_place(RevertDraft& draft);

} // namespace domsnap::plan
