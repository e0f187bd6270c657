// Whether the files that a verb is about to rest on are still those that domsnap knows: somebody may have
// removed, cut, replaced or written to one behind its back. Cheap: where the file lies, its times, its
// header; the rule is in docs/formats/ledger.md. Changes nothing.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"

#include <set>
#include <string>
#include <vector>

namespace domsnap::engine {

/// "" or what is wrong, in words that follow the path: "is not there", "was written to since it was frozen".
std::string wrong_with(const model::KnownFile& known, bool frozen);

/// Throws conflict at the first of the files that is wrong: which, in what, who needs it, what to do. Files
/// that are not known may be missing, but nothing else is said of them.
void require_known(const Session& session, const plan::Facts& facts, const model::SnapshotTree& tree,
                   const std::vector<std::string>& files);

/// What the domain's disks rest on, all of it.
std::vector<std::string> files_of(const model::Domain& domain, const plan::Facts& facts);
/// What a revert to the snapshot rests on.
std::vector<std::string> files_of(const model::Snapshot& snapshot, const plan::Facts& facts);
/// What deleting them may merge: their files, what is below, and what rests on them.
std::vector<std::string> files_to_delete(const model::SnapshotTree& tree, const std::string& snapshot,
                                         const DeleteOptions& options, const plan::Facts& facts);

} // namespace domsnap::engine
