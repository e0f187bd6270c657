// Runs a plan through the journal: each step marked begun, applied, marked done. A failure is treated as a
// crash that was survived: before the point of no return the steps are taken back in reverse order, after it
// the rest is done.
#pragma once

#include "engine/world.h"
#include "plan/step.h"

#include <string>
#include <vector>

namespace domsnap::engine {

class Session;

/// The plan's journal is at journal_path while it runs. Throws what the failing step threw, after everything
/// was taken back; or an Error that says what stays to be done by recovery.
void run_plan(World& world, const plan::Plan& plan, const std::string& journal_path, const Control& control);
/// The same up to the waiting for a guest's memory to be saved, if the plan has that; the journal then stays,
/// for continue_plan, and true is returned.
bool run_plan_to_capture(World& world, const plan::Plan& plan, const std::string& journal_path,
                         const Control& control);
/// Goes on where run_plan_to_capture left off, in this or another process; as run_plan.
void continue_plan(World& world, const std::string& journal_path, const Control& control);

/// What a crash left of journal_path, if anything; a line for what was done, in the user's words.
std::vector<std::string> recover_plan(World& world, const std::string& journal_path);

/// For a session that has just taken its lock.
std::vector<std::string> recover(Session& session);

} // namespace domsnap::engine
