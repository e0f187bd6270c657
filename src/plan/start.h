// How a plan ends that starts a guest. Knows nothing of what the guest goes on from.
#pragma once

#include "plan/step.h"

namespace domsnap::plan {

/// Adds the step by which the guest runs, unless it is to stay paused. Until then the plan is taken back by a
/// failure or a crash, and from then on it never is: the guest may have written to its disks. (G10)
void plan_resume(Plan& plan, const StartGuest& start);

} // namespace domsnap::plan
