#include "os/file.h"
#include "scenario_parts.h"

#include <fmt/format.h>

namespace crash {

using namespace domsnap;

namespace {

Run editing(const std::string& snapshot, const std::string& new_name, bool rename) {
    return [=](World&, Host& host, const Control&) {
        auto xml = host.snapshot_xml(the_domain, snapshot, true);
        const auto name = fmt::format("<name>{}</name>", snapshot);
        xml.replace(xml.find(name), name.size(),
                    fmt::format("<name>{}</name><description>edited</description>", new_name));
        host.snapshot_edit(the_domain, snapshot, xml, rename, !rename);
    };
}

/// Of two, the first is current: it has a child.
void first_is_current(World& world, Host& host) {
    chain_of(2)(world, host);
    host.set_snapshot_current(the_domain, "s1");
}

DeleteOptions metadata_only() {
    DeleteOptions options;
    options.metadata = true;
    return options;
}

/// The record of one of two is taken out, and put into a file.
void forgotten(World& world, Host& host) {
    chain_of(2)(world, host);
    os::write_file(world.image("s2.xml"), host.snapshot_xml(the_domain, "s2", true));
    host.snapshot_delete(the_domain, "s2", metadata_only());
}

/// text: gives the document.
Run redefining(std::function<std::string(World&, Host&)> text) {
    return [=](World& world, Host& host, const Control& control) {
        CreateOptions options;
        options.redefine = options.current = true;
        host.snapshot_create(the_domain, text(world, host), options, control);
    };
}

Host::UndefineOptions with_snapshots(bool forget) {
    Host::UndefineOptions options;
    (forget ? options.snapshots_metadata : options.snapshots) = true;
    return options;
}

} // namespace

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
        {"start", "", two_disks, false,
         [](World&, Host& host, const Control& control) { host.start(the_domain, {}, control); }},
        {"destroy", "", two_disks, true,
         [](World&, Host& host, const Control&) { host.destroy(the_domain); }},
        {"domrename", "", chain_of(1), false,
         [](World&, Host& host, const Control&) { host.rename(the_domain, "e"); }},
        {"undefine", "", two_disks, false, undefining({})},
        {"undefine",
         "snapshots forgotten",
         chain_of(2),
         false,
         undefining(with_snapshots(true)),
         {},
         {},
         true},
        {"undefine",
         "with its snapshots",
         chain_of(2),
         false,
         undefining(with_snapshots(false)),
         {},
         [](World&, Host& host) {
             DeleteOptions children;
             children.children = true;
             host.snapshot_delete(the_domain, "s1", children);
         }},
    };
}

std::vector<Scenario> scenarios_of_records() {
    return {
        {"snapshot-edit", "rename", first_is_current, false, editing("s1", "t1", true)},
        {"snapshot-edit", "clone", first_is_current, false, editing("s1", "c1", false)},
        {"snapshot-create", "redefine", chain_of(2), false,
         redefining([](World&, Host& host) { return host.snapshot_xml(the_domain, "s1", true); })},
        {"snapshot-create", "redefine, a forgotten one", forgotten, false,
         redefining([](World& world, Host&) { return os::read_file(world.image("s2.xml"), 1 << 20); })},
        {"snapshot-delete", "metadata", chain_of(2), false, deleting("s2", metadata_only())},
        {"snapshot-current", "", chain_of(2), false,
         [](World&, Host& host, const Control&) { host.set_snapshot_current(the_domain, "s1"); }},
    };
}

} // namespace crash
