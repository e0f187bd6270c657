// Migration to and from a descriptor.
#include "machine.h"

#include "os/file.h"

namespace fake {

namespace {

domsnap::os::Fd take_fd(Machine& machine, const std::string& uri) {
    if (!uri.starts_with("fd:")) throw Refusal("The fake plays fd: only, not '" + uri + "'");
    const auto fd = machine.fds.find(uri.substr(3));
    if (fd == machine.fds.end())
        throw Refusal("File descriptor named '" + uri.substr(3) + "' has not been found");
    auto taken = std::move(fd->second);
    machine.fds.erase(fd);
    return taken;
}

StreamState state_of(const Machine& machine) {
    return {machine.options.machine, machine.options.uuid, machine.status, machine.memory.rings()};
}

/// The guest runs on if it ran; an image that is saved so says that it did.
Json save_devices(Machine& machine, const Json& arguments, Monitor&) {
    auto state = state_of(machine);
    state.status = "running";
    domsnap::os::write_file(arguments.at("filename"), device_file(state));
    return nothing;
}

Json migrate(Machine& machine, const Json& arguments, Monitor&) {
    if (machine.migration.active()) throw Refusal("There's a migration process in progress");
    if (machine.status == "inmigrate") throw Refusal("Guest is waiting for an incoming migration");
    if (machine.status == "postmigrate")
        throw Refusal("Can't migrate the vm that was paused due to previous migration");
    const bool background = machine.enabled.contains("background-snapshot");
    const bool was_running = machine.running();
    const StreamState state = state_of(machine);
    try {
        const bool disk_full = machine.faults.find("enospc", "migrate").has_value();
        machine.migration.send(take_fd(machine, arguments.at("uri")), machine.memory.copy(), state,
                               background, disk_full);
    } catch (const Refusal& refusal) {
        machine.migration.status = "failed";
        machine.migration.error = refusal.what();
        throw;
    }
    if (!background) return nothing;
    machine.stop_cpus("paused");
    // QEMU 7.2 leaves a paused guest running; 10.0 leaves it paused.
    if (was_running || machine.before_8()) machine.start_cpus();
    return nothing;
}

Json migrate_incoming(Machine& machine, const Json& arguments, Monitor&) {
    if (machine.status != "inmigrate") throw Refusal("'-incoming' was not specified on the command line");
    if (machine.migration.active()) throw Refusal("The incoming migration has already been started");
    machine.migration.receive(
        take_fd(machine, arguments.at("uri")), machine.memory.block(), machine.options.machine,
        [&](uint64_t offset, const std::string& page) { machine.memory.write(offset, page); });
    if (machine.before_8()) machine.emit("MIGRATION", {{"status", "setup"}});
    return nothing;
}

Json set_capabilities(Machine& machine, const Json& arguments, Monitor&) {
    if (machine.migration.active()) throw Refusal("There's a migration process in progress");
    auto enabled = machine.enabled;
    for (const Json& change : arguments.at("capabilities")) {
        const std::string name = change.at("capability");
        if (change.at("state"))
            enabled.insert(name);
        else
            enabled.erase(name);
    }
    if (enabled.contains("background-snapshot") && enabled.contains("multifd"))
        throw Refusal("Background-snapshot is not compatible with multifd");
    // As on a host that gives QEMU no userfaultfd: the fake's guest cannot wait for a page.
    if (enabled.contains("postcopy-ram"))
        throw Refusal(machine.before_8()
                          ? "Postcopy is not supported"
                          : "Postcopy is not supported: Userfaultfd not available: Operation not permitted");
    machine.enabled = enabled;
    return nothing;
}

Json query_capabilities(Machine& machine, const Json&, Monitor&) {
    Json list = Json::array();
    for (const Json& name : machine.schema.migration_capabilities())
        list.push_back({{"capability", name}, {"state", machine.enabled.contains(name)}});
    return list;
}

Json set_parameters(Machine& machine, const Json& arguments, Monitor&) {
    machine.parameters.update(arguments);
    return nothing;
}

Json cancel_migration(Machine& machine, const Json&, Monitor&) {
    if (machine.migration.active()) machine.migration.cancel();
    return nothing;
}

} // namespace

std::map<std::string, Command> migration_commands() {
    return {{"migrate", migrate},
            {"migrate-incoming", migrate_incoming},
            {"migrate-set-capabilities", set_capabilities},
            {"query-migrate-capabilities", query_capabilities},
            {"migrate-set-parameters", set_parameters},
            {"query-migrate-parameters",
             [](Machine& machine, const Json&, Monitor&) { return machine.parameters; }},
            {"migrate_cancel", cancel_migration},
            {"xen-save-devices-state", save_devices},
            {"query-migrate",
             [](Machine& machine, const Json&, Monitor&) { return machine.migration.describe(); }}};
}

} // namespace fake
