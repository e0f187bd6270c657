// What the procedures for pools and those for volumes share.
#pragma once

#include "rpc/domains.h"
#include "rpc/pools.h"
#include "rpc/procedures.h"

#include <domsnap/storage.h>
#include <optional>
#include <string>

namespace domsnap::rpc {

struct OfPool {
    NamedRef pool;
    DOMSNAP_WIRE(pool)
};
struct PoolNumber {
    NamedRef pool;
    int32_t number = 0;
    DOMSNAP_WIRE(pool, number)
};
NamedRef ref_of(const Pool& pool);

/// With what is configured just now.
Pools& pools_of(Call& call);
/// Throws Refusal: not found, not active.
Pool active_pool(Call& call, const std::string& name);
/// The active one of that folder.
std::optional<Pool> pool_of_folder(Call& call, const std::string& folder);

} // namespace domsnap::rpc
