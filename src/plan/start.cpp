#include "plan/start.h"

namespace domsnap::plan {

void plan_resume(Plan& plan, const StartGuest& start) {
    plan.point_of_no_return = static_cast<uint32_t>(plan.steps.size());
    if (!start.paused) plan.steps.push_back(ResumeGuest{});
    plan.clean_up = static_cast<uint32_t>(plan.steps.size());
}

} // namespace domsnap::plan
