// What the kernel has noted about the mappings of another process: the VmFlags of /proc/PID/smaps (Linux,
// Documentation/filesystems/proc). To read them it walks all page tables: not for a stop.
#pragma once

#include "os/foreign_memory.h"

#include <string_view>
#include <vector>

namespace domsnap::os {

inline constexpr std::string_view registered_for_write_protection = "uw"; ///< with a userfaultfd
inline constexpr std::string_view not_for_children = "dc";                ///< MADV_DONTFORK

/// Throws not_found if the process is gone, permission if it is another user's.
std::vector<AddressRange> mappings_with_flag(const ProcessId& process, std::string_view flag);

} // namespace domsnap::os
