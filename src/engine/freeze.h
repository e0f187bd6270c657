// The guest's file systems: frozen around a snapshot's instant, and thawed whenever the guest runs again.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"

namespace domsnap::engine {

/// What stands in the way of --quiesce, as a fact.
void look_at_agent(Session& session, plan::Facts& facts);

/// Thaws, if the guest runs; a failure is a warning and is tried again, by a process of its own and by the
/// next `resume`. Of a guest that stands still it is noted, for when it is resumed.
void thaw_guest(Session& session);
/// After the guest was told to run on: thaws it if that was noted.
void thaw_if_noted(Session& session);

} // namespace domsnap::engine
