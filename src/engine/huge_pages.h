// Before a guest's memory is saved while it runs: what makes the stop short.
#pragma once

#include "engine/session.h"

namespace domsnap::engine {

/// QEMU protects its guest's RAM page by page within the stop. The snapshot before this one has split its
/// huge pages, or the guest was given its memory in small ones; put together again, they are protected in a
/// part of the time (docs/performance.md). RAM that is mapped from a copy on tmpfs is read once. The guest
/// runs meanwhile. Bounded; nothing fails by it.
void shorten_the_stop(const Session& session);

} // namespace domsnap::engine
