// How much memory the host has, in the kernel's words (/proc/meminfo), and how much of it we may have
// (control groups). Does not know what it is for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace domsnap::os {

/// Bytes: "MemTotal", "MemFree", or "MemAvailable", what could be taken without swapping. 0 if the kernel
/// does not say.
uint64_t host_memory(std::string_view what);

/// What this process could take: "MemAvailable", or less where a limit of its control group, or of one that
/// it lies in, leaves less. 0 if the kernel does not say, 1 if nothing is left.
uint64_t available_memory();
/// What those limits leave; UINT64_MAX where there are none. groups_of_process: as /proc/self/cgroup;
/// mounted: as /sys/fs/cgroup.
uint64_t left_by_control_groups(const std::string& groups_of_process, const std::string& mounted);

} // namespace domsnap::os
