// One snapshot-create on its way through the planner: what its parts (create_disks, create_memory, create)
// share.
#pragma once

#include "base/error.h"
#include "plan/manual.h"
#include "plan/planner.h"

#include <set>
#include <string>
#include <vector>

namespace domsnap::plan {

/// One create on its way: the request as it becomes the record, and the steps as they are found.
struct CreateDraft {
    model::Snapshot record;
    const CreateOptions& options;
    const Facts& facts;
    std::set<std::string> taken;
    Plan plan;
    std::vector<KeepFile> keeping; ///< copies of the NVRAM and the TPM's state

    const model::Disk& disk(const model::SnapshotDisk& wanted) const {
        return *facts.live.find_disk(wanted.name);
    }
    const DiskFacts& disk_facts(const model::SnapshotDisk& wanted) const {
        return *std::find_if(facts.disks.begin(), facts.disks.end(),
                             [&](const auto& d) { return d.target == wanted.name; });
    }
    bool has_memory(model::Location where) const { return record.memory.location == where; }
    /// True if the guest runs, and is to run on behind the one stop.
    bool runs_on() const { return facts.state == model::SnapshotState::running && !has_manual(record); }
};

[[noreturn]] inline void refuse(const std::string& message, const std::string& hint = {}) {
    throw Error(ErrorCode::invalid_request, message, hint);
}

/// A file that the request names itself: absolute, in a folder that exists.
void check_new_file(const CreateDraft& draft, const std::string& path, const std::string& what);

/// Completes every disk of the record (overlay, point) and plans the overlays' files.
void plan_disks(CreateDraft& draft);
/// What the one stop does to the disks that are external, and to those that are internal.
std::vector<OverlaySwitch> overlay_switches(const CreateDraft& draft);
std::vector<InternalPoint> internal_points(const CreateDraft& draft);

/// What the snapshot freezes as a whole: each disk's file, what lies below it as far as no other snapshot has
/// frozen it, and the memory's own file.
std::vector<FrozenFile> files_to_note(const CreateDraft& draft, const model::SnapshotTree& tree);

/// The stop that lasts until the user has copied the disks that are left to him, if there are any.
void plan_hold(CreateDraft& draft);

/// --quiesce: what stands in its way, and what is done before the stop and when the guest runs again.
void check_quiesce(const CreateDraft& draft);
void plan_freeze(CreateDraft& draft);
void plan_thaw(CreateDraft& draft);

/// External memory: the image's name, and whether there is room for it.
void plan_memory_file(CreateDraft& draft);
/// The image of which the new one stores only the difference; "" = a whole one.
std::string parent_image(const CreateDraft& draft);
/// Internal memory: who holds it, and the one stop.
void plan_internal_memory(CreateDraft& draft);

} // namespace domsnap::plan
