// A domain that libvirt has, as its files say, taken over so that libvirt forgets it.
#include "os/file.h"
#include "scenario_parts.h"

#include <domsnap/adopt.h>

namespace crash {

using namespace domsnap;

namespace {

std::string from(const World& world) { return world.path() + "/libvirt"; }

/// What libvirt would have written of the domain and its snapshot: the documents are the same.
void hand_over(World& world, Host& host) {
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

void libvirts(World& world, Host& host) {
    chain_of(1)(world, host);
    hand_over(world, host);
}

void libvirts_with_tpm(World& world, Host& host) {
    define_two_disks(
        world, host,
        {.os = {}, .devices = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"});
    create(host, request("s1", disks("external", "external")));
    const auto folder = from(world) + "/var/lib/libvirt/swtpm/" + host.info(the_domain).uuid + "/tpm2";
    os::make_folders(folder);
    os::write_file(folder + "/tpm2-00.permall", std::string(64, 'T'));
    hand_over(world, host);
}

void adopting(World& world, Host& host, bool take, const Control& control) {
    AdoptOptions options;
    options.from = from(world);
    options.take = take;
    adopt(host.folders(), {the_domain}, options, control);
}

} // namespace

std::vector<Scenario> scenarios_of_adoption() {
    const auto scenario = [](const char* kind, void (*prepare)(World&, Host&)) {
        return Scenario{.verb = "adopt",
                        .kind = kind,
                        .prepare = prepare,
                        .run = [](World& world, Host& host,
                                  const Control& control) { adopting(world, host, true, control); },
                        .half = [](World& world, Host& host) { adopting(world, host, false, {}); },
                        .forgets = true, // before it the overlays are libvirt's
                        .again = true};
    };
    return {scenario("take", libvirts), scenario("take, with a TPM", libvirts_with_tpm)};
}

} // namespace crash
