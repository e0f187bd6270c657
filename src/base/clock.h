// The time of day, for what is written down. For waiting there is Deadline, whose clock nobody sets back.
#pragma once

#include <chrono>
#include <cstdint>

namespace domsnap {

/// How many whole units have passed since 1970: since_epoch<std::chrono::seconds>().
template <class Unit>
int64_t since_epoch() {
    return std::chrono::duration_cast<Unit>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace domsnap
