// <domain type>, <os><type> and <features> -> -accel and -machine.
#include "machine/build.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

void check_features(const model::Element& features) {
    only_children(features, {"acpi", "apic", "pae", "hap", "hyperv", "kvm", "pvspinlock", "pmu", "vmport",
                             "smm", "ioapic", "vmcoreinfo", "tcg", "privnet", "ps2"});
}

void append_switch(std::string& machine, const model::Element& features, std::string_view element,
                   std::string_view property) {
    if (const auto state = child_state(features, element))
        machine += fmt::format(",{}={}", property, on_off(*state));
}

std::string feature_properties(const model::Element* features) {
    // libvirt's rule: a document without <acpi/> has no ACPI, though QEMU's default is to have it.
    if (!features) return ",acpi=off";
    check_features(*features);
    std::string machine = features->child("acpi") ? "" : ",acpi=off";
    append_switch(machine, *features, "vmport", "vmport");
    append_switch(machine, *features, "smm", "smm");
    append_switch(machine, *features, "ps2", "i8042");
    if (const auto* ioapic = features->child("ioapic"))
        machine += word_of(*ioapic, "driver", "kvm", {"kvm", "qemu"}) == "kvm" ? ",kernel-irqchip=on"
                                                                               : ",kernel-irqchip=split";
    return machine;
}

std::string timer_properties(const model::Element* clock) {
    std::string machine;
    if (!clock) return machine;
    for (const auto* timer : clock->elements("timer")) {
        const auto name = timer->attribute("name");
        const auto present = switch_of(*timer, "present");
        if (present && name == "hpet") machine += fmt::format(",hpet={}", on_off(*present));
        if (present && name == "pit" && !*present) machine += ",pit=off";
    }
    return machine;
}

std::string accelerator(const Build& build) {
    if (build.kvm) return "kvm";
    const auto* cache = build.document().at("features/tcg/tb-cache");
    if (!cache) return "tcg";
    const auto unit = word_of(*cache, "unit", "KiB", {"KiB", "MiB", "GiB"});
    const auto size = cache->text();
    if (size.empty() || size.size() > 6 || size.find_first_not_of("0123456789") != std::string::npos)
        refuse(*cache, "not a number");
    const auto mib = unit == "KiB"   ? std::stoul(size) / 1024
                     : unit == "MiB" ? std::stoul(size)
                                     : std::stoul(size) * 1024;
    return fmt::format("tcg,tb-size={}", mib);
}

void check_type(const Build& build) {
    const auto& document = build.document();
    if (build.domain.type != "kvm" && build.domain.type != "qemu")
        refuse_attribute(document, "type", "it is neither 'kvm' nor 'qemu'");
    const auto* os = document.child("os");
    const auto* type = os ? os->child("type") : nullptr;
    if (!type) refuse(os ? *os : document, "it has no <os><type>");
    if (type->text() != "hvm") refuse(*type, "the type is not 'hvm'");
    const auto arch = type->attribute("arch", "x86_64");
    if (arch != "x86_64" && arch != "i686")
        refuse_attribute(*type, "arch", "it knows the PCs of x86_64 and i686 only");
}

} // namespace

bool is_q35(const model::Domain& domain) {
    const auto& name = domain.machine;
    if (name == "q35" || name.starts_with("pc-q35-")) return true;
    if (name.empty() || name == "pc" || name.starts_with("pc-i440fx-")) return false;
    const auto* type = domain.document.at("os/type");
    refuse_attribute(type ? *type : domain.document, "machine", "it knows the machines 'pc' and 'q35' only");
}

void add_machine(Build& build) {
    check_type(build);
    const auto& document = build.document();
    const auto name = build.domain.machine.empty() ? "pc" : build.domain.machine;
    auto machine = escape_commas(name) + ",usb=off";
    if (const auto* memory = document.child("memory"))
        machine += fmt::format(",dump-guest-core={}", on_off(switch_of(*memory, "dumpCore").value_or(false)));
    machine += feature_properties(document.child("features")) + timer_properties(document.child("clock"));
    if (const auto* backing = document.child("memoryBacking"); backing && backing->child("nosharepages"))
        machine += ",mem-merge=off";
    machine += flash_properties(build);
    // Memory streams name the main block by its backend's id: one name for all machines and versions.
    build.arguments.option("-machine", machine + ",memory-backend=pc.ram");
    build.arguments.option("-accel", accelerator(build));
}

} // namespace domsnap::machine
