// UEFI's variables and the TPM's state: kept with each snapshot, put back with each revert, gone with the
// domain.
#include "engine/firmware.h"
#include "engine/session.h"
#include "model/firmware.h"
#include "os/file.h"
#include "scenario_parts.h"

#include <fmt/format.h>

namespace crash {

using namespace domsnap;

namespace {

std::string a_flash_of(char letter) { return std::string(4096, letter); }

/// What the guest, and swtpm for it, would write.
void write_firmware(const Host& host, char variables, char tpm) {
    const engine::View view(host.folders(), the_domain);
    const auto folder = engine::firmware_folder(view);
    os::make_folders(model::tpm_folder(folder));
    os::write_file(model::nvram_file(view.definition(), folder), a_flash_of(variables));
    os::write_file(model::tpm_file(folder), std::string(64, tpm));
}

/// file: of its NVRAM; "" leaves the place to domsnap.
void define_machine(World& world, Host& host, const std::string& file) {
    os::write_file(world.image("code.fd"), a_flash_of('C'));
    os::write_file(world.image("vars.template"), a_flash_of('V'));
    define_two_disks(world, host,
                     {.os = fmt::format("<loader readonly='yes' type='pflash'>{}</loader>"
                                        "<nvram template='{}'>{}</nvram>",
                                        world.image("code.fd"), world.image("vars.template"), file),
                      .devices = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"});
    write_firmware(host, 'V', 'T');
}

void machine(World& world, Host& host) { define_machine(world, host, {}); }

/// Before its first start.
void fresh_machine(World& world, Host& host) {
    define_machine(world, host, world.image("vars.fd")); // among files of others
    const engine::View view(host.folders(), the_domain);
    os::remove_file_durably(model::nvram_file(view.definition(), engine::firmware_folder(view)));
}

void snapshot_of_machine(World& world, Host& host) {
    machine(world, host);
    create(host, request("s1", disks("external", "external")));
    write_leaf(world, host, "vda", 1, '1');
    write_firmware(host, 'W', 'U');
}

void checkpoint_of_machine(World& world, Host& host) {
    define_machine(world, host, world.image("vars.fd"));
    start_guest(host);
    create(host, full_request(world, "m1"));
    host.destroy(the_domain);
    write_leaf(world, host, "vda", 1, '1');
    write_firmware(host, 'W', 'U');
}

} // namespace

std::vector<Scenario> scenarios_of_firmware() {
    const auto full = [](const World& world) { return full_request(world, "n"); };
    const auto external = [](const World&) { return request("n", disks("external", "external")); };
    RevertOptions eager;
    eager.eager = true;
    const Host::UndefineOptions everything{.snapshots_metadata = true,
                                           .snapshots = false,
                                           .nvram = true,
                                           .keep_nvram = false,
                                           .tpm = true,
                                           .keep_tpm = false};
    return {
        {"start", "UEFI and TPM", fresh_machine, false,
         [](World&, Host& host, const Control& control) { host.start(the_domain, {}, control); }},
        {"snapshot-create", "off, UEFI and TPM", machine, false, creating(external)},
        {"snapshot-create", "running, UEFI and TPM", machine, true, creating(full)},
        {"snapshot-revert", "off, UEFI and TPM", snapshot_of_machine, false, reverting("s1")},
        {"snapshot-revert", "running, UEFI and TPM", checkpoint_of_machine, true, reverting("m1", eager)},
        {"snapshot-delete", "off, UEFI and TPM", snapshot_of_machine, false, deleting("s1")},
        {"undefine",
         "UEFI and TPM, snapshots forgotten",
         snapshot_of_machine,
         false,
         undefining(everything),
         {},
         {},
         true},
    };
}

} // namespace crash
