// Going back in place, and what is made ready for it: the guest's memory, its devices and its drives are of
// one snapshot or of none.
#include "scenario_parts.h"

#include <domsnap/error.h>

namespace crash {

using namespace domsnap;

namespace {

/// Neither the guest's memory nor its disk is the snapshot's any more.
void go_on(World&, Host& host) {
    write_memory(host, 0, "other!!!");
    write_memory(host, 5 * 4096, "a page that the snapshot has otherwise");
    write_memory(host, 3000 * 4096, "a page that it has not");
}

void go_on_paused(World& world, Host& host) {
    go_on(world, host);
    host.suspend(the_domain);
}

void warm(Host& host, const std::string& snapshot, bool off = false) {
    WarmOptions options;
    options.off = off;
    host.snapshot_warm(the_domain, snapshot, options);
}

void go_on_warm(World& world, Host& host) {
    go_on(world, host);
    warm(host, "m1");
}

Run warming(const std::string& snapshot, bool off = false) {
    return [=](World&, Host& host, const Control& control) {
        WarmOptions options;
        options.off = off;
        host.snapshot_warm(the_domain, snapshot, options, control);
    };
}

/// First to a guest whose RAM is mapped: a revert.
void warm_on_tmpfs(World&, Host& host, const Control& control) {
    WarmOptions options;
    options.tmpfs = true;
    host.snapshot_warm(the_domain, "m1", options, control);
}

void reverted_to_tmpfs(World&, Host& host) {
    RevertOptions options;
    options.mapped = options.tmpfs = true;
    host.snapshot_revert(the_domain, "m1", options);
}

void reverted_to_mapped(World& world, Host& host) {
    RevertOptions options;
    options.mapped = true;
    host.snapshot_revert(the_domain, "m1", options);
    go_on(world, host);
}

/// Says by which way it went.
Run reverting_in_place() {
    return [](World&, Host& host, const Control& control) {
        control.warn(host.snapshot_revert(the_domain, "m1", {}, control).way);
    };
}

/// What lay ready was used up, and is not made ready again.
void reverted_and_cold(World&, Host& host) {
    host.snapshot_revert(the_domain, "m1", {});
    warm(host, "m1", true);
}

} // namespace

std::vector<Scenario> scenarios_in_place() {
    const std::string in_place = "in place";
    const auto full = [](const World& world) { return full_request(world, "n"); };
    return {
        {.verb = "snapshot-revert",
         .kind = "running, in place",
         .prepare = checkpoint,
         .with_guest = true,
         .run = reverting_in_place(),
         .at_last = go_on,
         .says = in_place},
        {.verb = "snapshot-revert",
         .kind = "running, in place, warm",
         .prepare = checkpoint,
         .with_guest = true,
         .run = reverting_in_place(),
         .at_last = go_on_warm,
         .half = reverted_and_cold,
         .says = in_place,
         .warm = true},
        {.verb = "snapshot-revert",
         .kind = "paused, in place",
         .prepare = paused_checkpoint,
         .with_guest = true,
         .run = reverting_in_place(),
         .at_last = go_on_paused,
         .says = in_place},
        {.verb = "snapshot-create",
         .kind = "running, memory mapped",
         .prepare = checkpoint,
         .with_guest = true,
         .run = creating(full),
         .at_last = reverted_to_mapped},
        {.verb = "snapshot-create",
         .kind = "running, memory mapped, not waited for",
         .prepare = checkpoint,
         .with_guest = true,
         .run = creating_behind(full),
         .at_last = reverted_to_mapped},
        {.verb = "snapshot-warm",
         .kind = "",
         .prepare = checkpoint,
         .with_guest = true,
         .run = warming("m1"),
         .at_last = go_on,
         .warm = true},
        {.verb = "snapshot-warm",
         .kind = "in another's place",
         .prepare = checkpoints,
         .with_guest = true,
         .run = warming("m2"),
         .at_last = go_on_warm,
         .half = [](World&, Host& host) { warm(host, "m1", true); },
         .warm = true},
        {.verb = "snapshot-warm",
         .kind = "on tmpfs",
         .prepare = checkpoint,
         .with_guest = true,
         .run = warm_on_tmpfs,
         .at_last = go_on,
         .half = reverted_to_tmpfs,
         .warm = true},
        {.verb = "snapshot-warm",
         .kind = "off",
         .prepare = checkpoint,
         .with_guest = true,
         .run = warming("m1", true),
         .at_last = go_on_warm,
         .warm = true},
    };
}

} // namespace crash
