// A plan as --dry-run prints it, and as JSON.
#pragma once

#include <domsnap/host.h>

#include <string>

namespace domsnap::ui {

/// Numbered steps with their files, where the guest stands still, where there is no way back, what it may
/// cost.
std::string plan_text(const PlanView& plan);
std::string plan_json(const PlanView& plan);

} // namespace domsnap::ui
