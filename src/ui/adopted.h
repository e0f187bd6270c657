// What adopt takes over from libvirt, as text and as JSON.
#pragma once

#include <domsnap/adopt.h>

#include <string>
#include <vector>

namespace domsnap::ui {

/// For each domain a line with what stands in its way below it, and a line for each snapshot.
std::string adopt_text(const std::vector<AdoptResult>& results);
std::string adopt_json(const std::vector<AdoptResult>& results);

} // namespace domsnap::ui
