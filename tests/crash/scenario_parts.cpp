#include "scenario_parts.h"

#include "engine/session.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <fmt/format.h>

namespace crash {

using namespace domsnap;

std::string request(const std::string& name, const std::string& inside) {
    return fmt::format("<domainsnapshot><name>{}</name>{}</domainsnapshot>", name, inside);
}

std::string memory_at(const World& world, const std::string& name) {
    return fmt::format("<memory snapshot='external' file='{}'/>", world.image(name));
}

std::string disks(const char* vda, const char* vdb) {
    return fmt::format("<disks><disk name='vda' snapshot='{}'/><disk name='vdb' snapshot='{}'/></disks>", vda,
                       vdb);
}

std::string full_request(const World& world, const std::string& name) {
    return request(name, memory_at(world, name + ".mem") + disks("external", "external"));
}

void write_leaf(const World& world, const Host& host, const std::string& target, unsigned block,
                char letter) {
    const auto view = engine::View(host.folders(), the_domain);
    const auto* disk = view.definition().find_disk(target);
    world.write(disk->source, disk->format, block, letter);
}

void define_two_disks(World& world, Host& host, const Machine& machine) {
    world.make_image("vda.qcow2");
    world.make_image("vdb.qcow2");
    world.write(world.image("vda.qcow2"), "qcow2", 0, 'a');
    world.write(world.image("vdb.qcow2"), "qcow2", 0, 'b');
    host.define(world.document(the_domain, {{"vda", "vda.qcow2"}, {"vdb", "vdb.qcow2"}}, machine), false);
}

void two_disks(World& world, Host& host) { define_two_disks(world, host, {}); }

void create(Host& host, const std::string& xml, const CreateOptions& options) {
    host.snapshot_create(the_domain, xml, options);
}

Prepare chain_of(unsigned count) {
    return [count](World& world, Host& host) {
        two_disks(world, host);
        for (unsigned i = 1; i <= count; ++i) {
            create(host, request(fmt::format("s{}", i), disks("external", "external")));
            write_leaf(world, host, "vda", i, static_cast<char>('0' + i));
            write_leaf(world, host, "vdb", i, static_cast<char>('A' + i));
        }
    };
}

void internal(World& world, Host& host) {
    two_disks(world, host);
    create(host, request("i1", disks("internal", "internal")));
    write_leaf(world, host, "vda", 1, '1');
    write_leaf(world, host, "vdb", 1, '2');
}

void checkpoint(World& world, Host& host) {
    two_disks(world, host);
    start_guest(host);
    create(host, full_request(world, "m1"));
    host.destroy(the_domain);
    write_leaf(world, host, "vda", 1, '1');
}

void checkpoints(World& world, Host& host) {
    two_disks(world, host);
    start_guest(host);
    create(host, full_request(world, "m1"));
    create(host, full_request(world, "m2"));
    host.destroy(the_domain);
}

void paused_checkpoint(World& world, Host& host) {
    two_disks(world, host);
    start_guest(host);
    host.suspend(the_domain);
    create(host, full_request(world, "m1"));
    host.destroy(the_domain);
    write_leaf(world, host, "vda", 1, '1');
}

Run creating_behind(std::function<std::string(const World&)> xml) {
    return [=](World& world, Host& host, const Control& control) {
        CreateOptions options;
        options.wait = false;
        host.snapshot_create(the_domain, xml(world), options, control);
        host.recover(the_domain, control);
        // That the command succeeded says only that memory is being saved.
        host.snapshot_info(the_domain, "n");
    };
}

Run creating(std::function<std::string(const World&)> xml, CreateOptions options) {
    return [=](World& world, Host& host, const Control& control) {
        host.snapshot_create(the_domain, xml(world), options, control);
    };
}

Run reverting(const std::string& snapshot, RevertOptions options) {
    return [=](World&, Host& host, const Control& control) {
        host.snapshot_revert(the_domain, snapshot, options, control);
    };
}

Run deleting(const std::string& snapshot, DeleteOptions options) {
    return [=](World&, Host& host, const Control& control) {
        host.snapshot_delete(the_domain, snapshot, options, control);
    };
}

Run undefining(Host::UndefineOptions options) {
    return [=](World&, Host& host, const Control& control) { host.undefine(the_domain, options, control); };
}

void start_guest(const Host& host) {
    Host(host).start(the_domain, Host::StartOptions{});
    write_memory(host, 0, "alive!!!");
}

void write_memory(const Host& host, uint64_t offset, const std::string& text) {
    const engine::View view(host.folders(), the_domain);
    const auto soon = [] { return Deadline::after(std::chrono::seconds(30)); };
    auto monitor = qmp::Client::connect(view.files().watch(), soon());
    qmp::human_command(monitor, fmt::format("fake-write {} {}", offset, text), soon());
}

std::vector<Scenario> all_scenarios() {
    std::vector<Scenario> all;
    for (auto part :
         {scenarios_of_domains(), scenarios_of_create(), scenarios_of_revert(), scenarios_of_delete(),
          scenarios_of_records(), scenarios_of_guests(), scenarios_of_firmware(), scenarios_of_forks(),
          scenarios_in_place(), scenarios_of_adoption()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

} // namespace crash
