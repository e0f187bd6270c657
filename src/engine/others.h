// Other domains of the same state folder: which files they read. A merge into one, or its removal, would
// destroy them, and QEMU would not notice.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"
#include "plan/step.h"

#include <functional>
#include <set>
#include <string>

namespace domsnap::engine {

/// Where another domain cannot be read, everything that the facts know.
std::set<std::string> files_of_others(const Session& session, const plan::Facts& facts);

/// What the domain reads or writes, disks and forks' files, with all that they rest on.
std::set<std::string> files_that_are_read(const View& view);

/// The plan as it must be beside the other domains. Only a plan that touches images makes it worth a look,
/// and only if there is another domain it is made anew.
plan::Plan plan_beside_others(Session& session, plan::Facts& facts,
                              const std::function<plan::Plan()>& make_plan);

} // namespace domsnap::engine
