// How much memory the host has, in the kernel's words (/proc/meminfo). Does not know what it is for.
#pragma once

#include <cstdint>
#include <string_view>

namespace domsnap::os {

/// Bytes: "MemTotal", "MemFree", or "MemAvailable", what could be taken without swapping. 0 if the kernel
/// does not say.
uint64_t host_memory(std::string_view what);

} // namespace domsnap::os
