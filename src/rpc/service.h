// What all connections share: the host, the jobs, the listeners, the log.
#pragma once

#include "rpc/consoles.h"
#include "rpc/jobs.h"
#include "rpc/pools.h"
#include "rpc/subscribers.h"

#include <domsnap/host.h>
#include <functional>
#include <string>

namespace domsnap::rpc {

enum class Level { error = 3, warning = 4, notice = 5, debug = 7 }; ///< syslog's numbers

struct Service {
    Host host;
    unsigned version = 0; ///< major * 1000000 + minor * 1000 + micro
    std::function<void(Level, const std::string&)> log = [](Level, const std::string&) {};
    Jobs jobs = {};
    Subscribers subscribers = {};
    Pools pools = {};
    Consoles consoles = {};
};

} // namespace domsnap::rpc
