// How long the engine waits. Generous: under TCG on a loaded host everything is slow, and a deadline that
// passes in the midst costs a recovery.
#pragma once

#include "base/deadline.h"

namespace domsnap::engine {

/// An answer that needs no work from QEMU.
inline Deadline quick() { return Deadline::after(std::chrono::seconds(60)); }
/// QEMU's start, and its orderly end.
inline Deadline for_start() { return Deadline::after(std::chrono::seconds(120)); }
inline Deadline for_end() { return Deadline::after(std::chrono::seconds(30)); }
/// A reader does not wait long for a monitor that somebody else holds.
inline Deadline for_a_look() { return Deadline::after(std::chrono::seconds(5)); }

} // namespace domsnap::engine
