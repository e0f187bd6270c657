// What lists show of a domain's snapshots.
#pragma once

#include "engine/session.h"
#include "model/tree.h"

#include <functional>

namespace domsnap::engine {

/// From the outlines that were kept, and from those records that changed since. Throws corrupt, naming it,
/// for a record that cannot be read.
model::OutlineTree outlines_of(const View& view);

/// Several thousand records are a part of a second for one CPU (docs/performance.md); threads are started
/// where there are enough for each. work: from one number to before another.
void side_by_side(size_t count, const std::function<void(size_t, size_t)>& work);

} // namespace domsnap::engine
