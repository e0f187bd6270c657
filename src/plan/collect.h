// Which files a delete or a revert leaves without a reason, and the cheapest right way to be rid of them
// (docs/model.md). The verbs say which snapshots remain and what the guest will use; everything about files
// is decided here, once for both. Knows nothing of the verbs.
#pragma once

#include "model/tree.h"
#include "plan/facts.h"
#include "plan/points.h"
#include "plan/step.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace domsnap::plan {

/// The world as it will be, and the plan that leads there.
struct Collection {
    const Facts& facts;
    std::vector<model::Snapshot> remaining; ///< their points move with the content
    FrozenPoints points;                    ///< of those that remain
    model::Domain definition, live;
    std::map<std::string, FileFacts> files;
    std::set<std::string> ours;  ///< may be removed, and merged away
    std::set<std::string> given; ///< the user's own that may be merged into
    std::set<std::string> lost;  ///< had a reason before this operation, and may have none now
    /// A QEMU that this plan starts has them open under nodes that nobody knows yet: they are left for a
    /// later operation.
    std::set<std::string> busy;
    std::vector<DiskFacts> disks; ///< the chains as they will be; without nodes where QEMU is another by then
    Plan plan;
    unsigned jobs = 0;

    std::string job(const char* what);
    bool used_by_guest(const std::string& path) const;
};

/// As the facts have it; the verb then says what does not remain.
Collection collection_of(const Facts& facts, const model::SnapshotTree& tree);

/// Removes what lost its last reason, and then what only that rested on.
void remove_unneeded(Collection& collection);
/// Merges each file that only one other still rests on with that one. After the removals: these take time and
/// may be cancelled, and a later operation finds what is left.
void merge_unneeded(Collection& collection);

/// The record is written anew as it is now in the collection.
void put_record(Collection& collection, const model::Snapshot& changed, const model::Snapshot& old);

/// QEMU's node for the file; "" = none has it open, or none is known.
std::string node_of(const Collection& collection, const std::string& path);

} // namespace domsnap::plan
