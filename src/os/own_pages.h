// Which pages of a process are its own, in the two ways in which kernels tell it. Private to the room.
#pragma once

#include "os/foreign_memory.h"

namespace domsnap::os {

/// ioctl(PAGEMAP_SCAN), Linux 6.7: it passes over what is not there. Nothing where the kernel lacks it.
std::optional<std::vector<AddressRange>> scan_own_pages(const Fd& page_map, uint64_t start, uint64_t size);
/// An entry of /proc/PID/pagemap for each page, on every kernel.
std::vector<AddressRange> read_own_pages(const Fd& page_map, uint64_t start, uint64_t size);
/// Those that are there, are not the one page of zeros that all share, and are no part of a huge page.
std::optional<std::vector<AddressRange>> scan_small_pages(const Fd& page_map, uint64_t start, uint64_t size);

} // namespace domsnap::os
