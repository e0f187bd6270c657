#include "scenario_parts.h"

namespace crash {

using namespace domsnap;

namespace {

/// An internal snapshot with external ones on top: to go back to it takes a copy.
void mixed(World& world, Host& host) {
    internal(world, host);
    create(host, request("s1", disks("external", "external")));
    write_leaf(world, host, "vda", 2, '3');
}

/// The fake QEMU takes no postcopy stream; tests/system/test_at_once.py has a real one.
RevertOptions memory_first() {
    RevertOptions eager;
    eager.eager = true;
    return eager;
}

} // namespace

std::vector<Scenario> scenarios_of_create() {
    const auto external = [](const World&) { return request("n", disks("external", "external")); };
    const auto both = [](const World&) { return request("n", disks("internal", "external")); };
    const auto full = [](const World& world) { return full_request(world, "n"); };
    const auto all_internal = [](const World&) { return request("n", "<memory snapshot='internal'/>"); };
    CreateOptions disk_only;
    disk_only.disk_only = true;
    return {
        {"snapshot-create", "off, external", two_disks, false, creating(external)},
        {"snapshot-create", "off, internal and external", two_disks, false, creating(both)},
        {"snapshot-create", "running, disks only", two_disks, true, creating(external, disk_only)},
        {"snapshot-create", "running, disks only, mixed", two_disks, true, creating(both, disk_only)},
        {"snapshot-create", "running, memory external", two_disks, true, creating(full)},
        {"snapshot-create", "running, memory external, not waited for", two_disks, true,
         creating_behind(full)},
        {"snapshot-create", "running, memory on a parent", checkpoint, true, creating(full)},
        {"snapshot-create", "running, all internal", two_disks, true, creating(all_internal)},
    };
}

std::vector<Scenario> scenarios_of_revert() {
    RevertOptions running;
    running.running = true;
    RevertOptions saving;
    saving.save = "kept";
    return {
        {"snapshot-revert",
         "off, saved before",
         chain_of(2),
         false,
         reverting("s1", saving),
         {},
         [](World&, Host& host) { create(host, request("kept", disks("external", "external"))); }},
        {"snapshot-revert", "off, external", chain_of(2), false, reverting("s1")},
        {"snapshot-revert", "off, internal", internal, false, reverting("i1")},
        {"snapshot-revert", "off, internal below overlays", mixed, false, reverting("i1")},
        {"snapshot-revert", "running, to boot", chain_of(2), true, reverting("s1", running)},
        {"snapshot-revert", "running, memory external", checkpoint, true, reverting("m1", memory_first())},
    };
}

std::vector<Scenario> scenarios_of_delete() {
    DeleteOptions children;
    children.children = true;
    return {
        {"snapshot-delete", "off, merge", chain_of(3), false, deleting("s2")},
        {"snapshot-delete", "off, internal", internal, false, deleting("i1")},
        {"snapshot-delete", "off, with children", chain_of(3), false, deleting("s1", children)},
        {"snapshot-delete", "running, merge", chain_of(3), true, deleting("s2")},
        {"snapshot-delete", "off, folds memory", checkpoints, false, deleting("m1")},
        {"snapshot-delete", "running, the guest's own", chain_of(2), true, deleting("s2")},
    };
}

} // namespace crash
