// Times as virsh shows them, and spans as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace domsnap::ui {

/// "2026-11-23 13:29:16 +0000", in the zone that $TZ (or the system) says.
std::string local_time(int64_t epoch_seconds);

/// "7 s", "2 min 05 s", "1 h 20 min".
std::string span(double seconds);

} // namespace domsnap::ui
