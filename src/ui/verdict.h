// What snapshot-verify found, as text and as JSON.
#pragma once

#include <domsnap/host.h>

#include <string>

namespace domsnap::ui {

/// A line for each snapshot, "NAME: good" or "NAME: not good" with what is wrong below it; the domain's own
/// disks and files under its name.
std::string verify_text(const std::string& domain, const VerifyResult& result);
std::string verify_json(const std::string& domain, const VerifyResult& result);

} // namespace domsnap::ui
