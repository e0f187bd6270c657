// How long the engine waits. Generous: under TCG on a loaded host everything is slow, and a deadline that
// passes in the midst costs a recovery. Every wait is bounded: what cannot be done now is left to the next
// command, with the journal as it is.
#pragma once

#include "base/deadline.h"

namespace domsnap::engine {

/// A test in which QEMU never answers makes them short, before its first command.
struct Waiting {
    std::chrono::milliseconds answer{60'000}; ///< one that needs no work from QEMU
    std::chrono::milliseconds start{120'000}, end{30'000};
    std::chrono::milliseconds look{5'000}; ///< a reader does not wait long for a monitor that another holds
    /// Work that takes as long as there are bytes is given up only when it has not moved for so long.
    std::chrono::milliseconds progress{120'000};
};
inline Waiting waiting;

inline Deadline quick() { return Deadline::after(waiting.answer); }
inline Deadline for_start() { return Deadline::after(waiting.start); }
inline Deadline for_end() { return Deadline::after(waiting.end); }
inline Deadline for_a_look() { return Deadline::after(waiting.look); }
inline Deadline for_progress() { return Deadline::after(waiting.progress); }

} // namespace domsnap::engine
