// Anonymous memory of another process, put together into huge pages again. Transparent to it: it may run.
#pragma once

#include "os/foreign_memory.h"

#include <functional>

namespace domsnap::os {

/// Where half or more of a huge page's place is there as small pages, so that little is added to what the
/// process uses. Asks should_stop now and then. Does what the kernel allows (PAGEMAP_SCAN and MADV_COLLAPSE:
/// Linux 6.7; CAP_SYS_NICE) and nothing otherwise; returns how many were made.
size_t restore_huge_pages(const ProcessId& process, const AddressRange& range,
                          const std::function<bool()>& should_stop);

} // namespace domsnap::os
