// The verbs that others are made of, on a session that is open: a revert saves first what would be lost, a
// guest becomes warm by going back first. Their doors, and what opens the session, are Host's.
#pragma once

#include "engine/session.h"
#include "engine/world.h"
#include "model/snapshot.h"
#include "plan/step.h"

#include <domsnap/host.h>
#include <string>

namespace domsnap::engine {

CreateResult create(Session& session, model::Snapshot request, const CreateOptions& options);
RevertResult revert(Session& session, const std::string& snapshot, const RevertOptions& options);
PlanView erase(Session& session, const std::string& snapshot, const DeleteOptions& options);

/// Runs the plan, after its warnings. A capture that fails is noted.
void finish(const Session& session, const plan::Plan& plan, World& world, const Control& control);

} // namespace domsnap::engine
