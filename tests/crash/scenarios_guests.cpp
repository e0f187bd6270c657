// A guest that stands still, that is ended with the snapshot, whose agent freezes its file systems.
#include "scenario_parts.h"

namespace crash {

using namespace domsnap;

namespace {

void with_agent(World& world, Host& host) {
    define_two_disks(world, host,
                     {.os = {},
                      .devices = "<channel type='unix'><target type='virtio' "
                                 "name='org.qemu.guest_agent.0'/></channel>"});
}

void suspend(World&, Host& host) { host.suspend(the_domain); }

/// QEMU takes its images for handed over now.
void suspend_and_save(World& world, Host& host) {
    host.suspend(the_domain);
    create(host, full_request(world, "m1"));
}

} // namespace

std::vector<Scenario> scenarios_of_guests() {
    const auto full = [](const World& world) { return full_request(world, "n"); };
    const auto external = [](const World&) { return request("n", disks("external", "external")); };
    const auto internals = [](const World&) { return request("n", disks("internal", "internal")); };
    CreateOptions disk_only, quiet_disks, halt;
    disk_only.disk_only = true;
    quiet_disks.disk_only = quiet_disks.quiesce = true;
    halt.halt = true;
    RevertOptions eager;
    eager.eager = true;
    return {
        {"suspend", "", two_disks, true,
         [](World&, Host& host, const Control&) { host.suspend(the_domain); }},
        {"resume", "", two_disks, true, [](World&, Host& host, const Control&) { host.resume(the_domain); },
         suspend},
        {"snapshot-create", "paused, memory external", two_disks, true, creating(full), suspend},
        {"snapshot-create", "paused, memory saved before", two_disks, true, creating(internals, disk_only),
         suspend_and_save},
        {"snapshot-create", "running, halt", two_disks, true, creating(full, halt)},
        {"snapshot-create", "running, quiesce", with_agent, true, creating(external, quiet_disks)},
        {"snapshot-revert", "paused, memory external", paused_checkpoint, true, reverting("m1", eager)},
    };
}

} // namespace crash
