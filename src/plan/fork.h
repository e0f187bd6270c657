// snapshot-fork, and the life of a fork that differs from another domain's: its first start.
#pragma once

#include "model/fork.h"
#include "plan/fork_document.h"
#include "plan/planner.h"

#include <set>
#include <string>
#include <vector>

namespace domsnap::plan {

/// A new domain that begins where the snapshot of another one ended. facts: as for a revert of the origin.
/// taken: paths that are not free; what this plan makes is added, so that several forks can be planned
/// together. The plan is the new domain's own. All of it is taken back by a failure or a crash before its
/// guest runs, or before its end.
Plan plan_fork(const std::string& snapshot, const ForkOptions& options, const ForkIdentity& identity,
               const Facts& facts, const model::SnapshotTree& tree, std::set<std::string>& taken);

/// The first start, which goes on from the memory that waits. Throws conflict if a disk of the definition is
/// not the fork's own overlay any more.
Plan plan_first_start(const model::Fork& fork, const model::Domain& definition, bool paused);

/// The note without the memory that waited; "" = none is needed any more.
std::string started_text(model::Fork fork);
/// Removes the file of such memory that is nobody's but the domain's own.
void remove_used_memory(Plan& plan, const model::Fork& fork);

} // namespace domsnap::plan
