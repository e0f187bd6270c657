// What the procedures for pools and those for volumes share.
#pragma once

#include "rpc/pools.h"
#include "rpc/procedures.h"

#include <domsnap/storage.h>
#include <string>

namespace domsnap::rpc {

/// With what is configured just now.
Pools& pools_of(Call& call);
/// Throws Refusal: not found, not active.
Pool active_pool(Call& call, const std::string& name);

} // namespace domsnap::rpc
