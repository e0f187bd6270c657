// Forks: made, started for the first time, undefined.
#include "scenario_parts.h"

namespace crash {

using namespace domsnap;

namespace {

Run forking(bool start) {
    return [start](World&, Host& host, const Control& control) {
        ForkOptions options;
        options.start = start;
        host.snapshot_fork(the_domain, "m1", "f", options, control);
    };
}

void forked(World& world, Host& host) {
    checkpoint(world, host);
    forking(false)(world, host, {});
}

} // namespace

std::vector<Scenario> scenarios_of_forks() {
    return {
        {"snapshot-fork", "", checkpoint, false, forking(false)},
        {"snapshot-fork", "started", checkpoint, false, forking(true)},
        {"start", "a fork's first", forked, false,
         [](World&, Host& host, const Control& control) { host.start("f", {}, control); }},
        {"undefine", "a fork", forked, false,
         [](World&, Host& host, const Control& control) { host.undefine("f", {}, control); }},
    };
}

} // namespace crash
