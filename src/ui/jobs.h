// A job of a domain as virsh shows it, and as JSON.
#pragma once

#include <domsnap/host.h>

#include <optional>
#include <string>

namespace domsnap::ui {

std::string job_text(const std::optional<JobInfo>& job);
std::string job_json(const std::string& domain, const std::optional<JobInfo>& job);

} // namespace domsnap::ui
