#include "scenario.h"

#include "engine/session.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <fmt/format.h>

namespace crash {

using namespace domsnap;

namespace {

std::string request(const std::string& name, const std::string& inside = {}) {
    return fmt::format("<domainsnapshot><name>{}</name>{}</domainsnapshot>", name, inside);
}
std::string memory_at(const World& world, const std::string& name) {
    return fmt::format("<memory snapshot='external' file='{}'/>", world.image(name));
}
std::string disks(const char* vda, const char* vdb) {
    return fmt::format("<disks><disk name='vda' snapshot='{}'/><disk name='vdb' snapshot='{}'/></disks>", vda,
                       vdb);
}

/// Where the guest writes now.
void write_leaf(const World& world, const Host& host, const std::string& target, unsigned block,
                char letter) {
    const auto view = engine::View(host.folders(), the_domain);
    const auto* disk = view.definition().find_disk(target);
    world.write(disk->source, disk->format, block, letter);
}

void define_two_disks(World& world, Host& host) {
    world.make_image("vda.qcow2");
    world.make_image("vdb.qcow2");
    world.write(world.image("vda.qcow2"), "qcow2", 0, 'a');
    world.write(world.image("vdb.qcow2"), "qcow2", 0, 'b');
    host.define(world.document(the_domain, {{"vda", "vda.qcow2"}, {"vdb", "vdb.qcow2"}}), false);
}

void create(Host& host, const std::string& xml, CreateOptions options = {}) {
    host.snapshot_create(the_domain, xml, options);
}

/// A chain of offline snapshots with external disks, a letter written after each.
void chain(World& world, Host& host, unsigned count) {
    define_two_disks(world, host);
    for (unsigned i = 1; i <= count; ++i) {
        create(host, request(fmt::format("s{}", i), disks("external", "external")));
        write_leaf(world, host, "vda", i, static_cast<char>('0' + i));
        write_leaf(world, host, "vdb", i, static_cast<char>('A' + i));
    }
}

void internal(World& world, Host& host) {
    define_two_disks(world, host);
    create(host, request("i1", disks("internal", "internal")));
    write_leaf(world, host, "vda", 1, '1');
    write_leaf(world, host, "vdb", 1, '2');
}

/// An internal snapshot with external ones on top: to go back to it takes a copy.
void mixed(World& world, Host& host) {
    internal(world, host);
    create(host, request("s1", disks("external", "external")));
    write_leaf(world, host, "vda", 2, '3');
}

/// One full checkpoint of a running guest.
void checkpoint(World& world, Host& host) {
    define_two_disks(world, host);
    start_guest(host);
    create(host, request("m1", memory_at(world, "m1.mem") + disks("external", "external")));
    host.destroy(the_domain);
    write_leaf(world, host, "vda", 1, '1');
}

void edit(Host& host, const std::string& snapshot, const std::string& new_name, bool rename) {
    auto xml = host.snapshot_xml(the_domain, snapshot, true);
    const auto name = fmt::format("<name>{}</name>", snapshot);
    xml.replace(xml.find(name), name.size(),
                fmt::format("<name>{}</name><description>edited</description>", new_name));
    host.snapshot_edit(the_domain, snapshot, xml, rename, false);
}

using Run = std::function<void(World&, Host&, const Control&)>;

Run creating(std::function<std::string(const World&)> xml, CreateOptions options = {}) {
    return [=](World& world, Host& host, const Control& control) {
        host.snapshot_create(the_domain, xml(world), options, control);
    };
}
Run reverting(const std::string& snapshot, RevertOptions options = {}) {
    return [=](World&, Host& host, const Control& control) {
        host.snapshot_revert(the_domain, snapshot, options, control);
    };
}
Run deleting(const std::string& snapshot, DeleteOptions options = {}) {
    return [=](World&, Host& host, const Control& control) {
        host.snapshot_delete(the_domain, snapshot, options, control);
    };
}
auto chain_of(unsigned count) {
    return [count](World& world, Host& host) { chain(world, host, count); };
}

std::vector<Scenario> scenarios_of_domains() {
    const auto images = [](World& world, Host&) {
        world.make_image("vda.qcow2");
        world.make_image("vdb.qcow2");
    };
    return {
        {"define", "", images, false,
         [](World& world, Host& host, const Control&) {
             host.define(world.document(the_domain, {{"vda", "vda.qcow2"}, {"vdb", "vdb.qcow2"}}), false);
         }},
        {"start", "", define_two_disks, false,
         [](World&, Host& host, const Control& control) { host.start(the_domain, {}, control); }},
        {"destroy", "", define_two_disks, true,
         [](World&, Host& host, const Control&) { host.destroy(the_domain); }},
        {"domrename", "", chain_of(1), false,
         [](World&, Host& host, const Control&) { host.rename(the_domain, "e"); }},
        {"undefine", "", define_two_disks, false,
         [](World&, Host& host, const Control& control) { host.undefine(the_domain, {}, control); }},
    };
}

std::vector<Scenario> scenarios_of_create() {
    const auto external = [](const World&) { return request("n", disks("external", "external")); };
    const auto both = [](const World&) { return request("n", disks("internal", "external")); };
    const auto full = [](const World& world) {
        return request("n", memory_at(world, "n.mem") + disks("external", "external"));
    };
    const auto all_internal = [](const World&) { return request("n", "<memory snapshot='internal'/>"); };
    CreateOptions disk_only;
    disk_only.disk_only = true;
    return {
        {"snapshot-create", "off, external", define_two_disks, false, creating(external)},
        {"snapshot-create", "off, internal and external", define_two_disks, false, creating(both)},
        {"snapshot-create", "running, disks only", define_two_disks, true, creating(external, disk_only)},
        {"snapshot-create", "running, disks only, mixed", define_two_disks, true, creating(both, disk_only)},
        {"snapshot-create", "running, memory external", define_two_disks, true, creating(full)},
        {"snapshot-create", "running, all internal", define_two_disks, true, creating(all_internal)},
    };
}

std::vector<Scenario> scenarios_of_revert() {
    RevertOptions running;
    running.running = true;
    RevertOptions eager; // the fake QEMU takes no postcopy stream; tests/system/test_at_once.py has a real one
    eager.eager = true;
    return {
        {"snapshot-revert", "off, external", chain_of(2), false, reverting("s1")},
        {"snapshot-revert", "off, internal", internal, false, reverting("i1")},
        {"snapshot-revert", "off, internal below overlays", mixed, false, reverting("i1")},
        {"snapshot-revert", "running, to boot", chain_of(2), true, reverting("s1", running)},
        {"snapshot-revert", "running, memory external", checkpoint, true, reverting("m1", eager)},
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
        {"snapshot-delete", "running, the guest's own", chain_of(2), true, deleting("s2")},
    };
}

std::vector<Scenario> scenarios_of_records() {
    return {
        {"snapshot-edit", "rename", chain_of(2), false,
         [](World&, Host& host, const Control&) { edit(host, "s1", "t1", true); }},
        {"snapshot-create", "redefine", chain_of(2), false,
         [](World&, Host& host, const Control& control) {
             CreateOptions options;
             options.redefine = options.current = true;
             host.snapshot_create(the_domain, host.snapshot_xml(the_domain, "s1", true), options, control);
         }},
        {"snapshot-current", "", chain_of(2), false,
         [](World&, Host& host, const Control&) { host.set_snapshot_current(the_domain, "s1"); }},
    };
}

} // namespace

void start_guest(const Host& host) {
    Host(host).start(the_domain, Host::StartOptions{});
    const engine::View view(host.folders(), the_domain);
    const auto soon = [] { return Deadline::after(std::chrono::seconds(30)); };
    auto monitor = qmp::Client::connect(view.files().watch(), soon());
    qmp::human_command(monitor, "fake-write 0 alive!!!", soon());
}

std::vector<Scenario> all_scenarios() {
    std::vector<Scenario> all;
    for (auto part : {scenarios_of_domains(), scenarios_of_create(), scenarios_of_revert(),
                      scenarios_of_delete(), scenarios_of_records()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

} // namespace crash
