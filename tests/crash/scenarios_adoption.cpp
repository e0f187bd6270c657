// A domain that libvirt has, as its files say, taken over so that libvirt forgets it.
#include "os/file.h"
#include "scenario_parts.h"

#include <domsnap/adopt.h>

namespace crash {

using namespace domsnap;

namespace {

std::string from(const World& world) { return world.path() + "/libvirt"; }

/// What libvirt would have written of a domain with a snapshot: the documents are the same.
void libvirts(World& world, Host& host) {
    chain_of(1)(world, host);
    const auto definitions = from(world) + "/etc/libvirt/qemu";
    const auto snapshots = from(world) + "/var/lib/libvirt/qemu/snapshot/" + the_domain;
    for (const auto& folder : {definitions, snapshots})
        os::make_folders(folder);
    os::write_file(definitions + "/" + the_domain + ".xml", host.xml(the_domain, true));
    auto snapshot = host.snapshot_xml(the_domain, "s1");
    snapshot.insert(snapshot.find("</domainsnapshot>"), "<active>1</active>");
    os::write_file(snapshots + "/s1.xml", snapshot);
    Host::UndefineOptions forget;
    forget.snapshots_metadata = true;
    host.undefine(the_domain, forget);
}

void adopting(World& world, Host& host, bool take, const Control& control) {
    AdoptOptions options;
    options.from = from(world);
    options.take = take;
    adopt(host.folders(), {the_domain}, options, control);
}

} // namespace

std::vector<Scenario> scenarios_of_adoption() {
    return {{.verb = "adopt",
             .kind = "take",
             .prepare = libvirts,
             .run = [](World& world, Host& host,
                       const Control& control) { adopting(world, host, true, control); },
             .half = [](World& world, Host& host) { adopting(world, host, false, {}); },
             .forgets = true, // before it the overlays are libvirt's
             .again = true}};
}

} // namespace crash
