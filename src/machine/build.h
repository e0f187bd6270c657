// A command line in the making: the document, the facts, and the parts that read one kind of element each.
#pragma once

#include "machine/arguments.h"
#include "machine/command_line.h"
#include "machine/elements.h"

#include <map>
#include <set>
#include <string>

namespace domsnap::machine {

struct Build {
    const model::Domain& domain;
    const CommandLineFacts& facts;
    Arguments arguments;
    bool q35 = false;
    bool kvm = false;
    std::set<unsigned> pci_buses; ///< indexes of the document's PCI controllers, root included
    std::map<const model::Element*, unsigned> boot; ///< a device's place in the boot order, from 1

    Build(const model::Domain& of, const CommandLineFacts& with) : domain(of), facts(with) {}
    const model::Element& document() const { return domain.document; }
    std::vector<const model::Element*> devices(std::string_view name) const;
};

/// Whether the document asks for a q35; refuses machines that are neither pc nor q35.
bool is_q35(const model::Domain& domain);

/// The id of a device of ours: the document's own alias (libvirt: those that begin with "ua-"), else the
/// fallback.
std::string id_of(const model::Element& device, const std::string& fallback);

// The machine (each adds its options; the order is that of the command line)
void add_machine(Build& build);
void add_cpu(Build& build);
void add_memory(Build& build);
void add_clock(Build& build);
/// ",pflash0=…" for -machine, if the firmware is in flash.
std::string flash_properties(const Build& build);
void add_firmware(Build& build, const model::Element& os);
void add_boot(Build& build);
void add_lifecycle(Build& build);

// Devices
void add_pci_controllers(Build& build);
void add_other_controllers(Build& build);
void add_block_nodes(Build& build, const model::Disk& disk, const model::Element& element);
void add_disks(Build& build);
void add_character_devices(Build& build);
void add_interfaces(Build& build);
void add_graphics(Build& build);
void add_videos(Build& build);
void add_inputs(Build& build);
void add_sound(Build& build);
void add_misc_devices(Build& build);
void add_tpm(Build& build);
void add_passthrough(Build& build);
/// The prefix that the document gave to libvirt's QEMU namespace ("qemu:"), or "" if it declares none.
std::string qemu_prefix(const model::Element& document);

} // namespace domsnap::machine
