#include "rpc/facts.h"

#include "base/text.h"
#include "model/element.h"
#include "rpc/failure.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

using model::Element;

EmulatorFacts emulator_facts(const Host& host) {
    EmulatorFacts facts{host.emulator(), 0};
    for (const auto& part : text::split(facts.info.version, '.'))
        facts.version_number = facts.version_number * 1000 + text::to_u64(part).value_or(0);
    return facts;
}

namespace {

Element with_text(const char* name, const std::string& text) {
    Element element(name);
    element.set_text(text);
    return element;
}

Element with_attributes(const char* name,
                        const std::vector<std::pair<std::string, std::string>>& attributes) {
    Element element(name);
    element.attributes = attributes;
    return element;
}

Element& add(Element& to, Element child) {
    to.children.push_back({model::Node::Kind::element, {}, {std::move(child)}});
    return to.children.back().element.front();
}

std::string kibibytes(uint64_t bytes) { return std::to_string(bytes / 1024); }

Element host_cpu(const NodeInfo& node) {
    Element cpu("cpu");
    add(cpu, with_text("arch", node.arch));
    add(cpu, with_attributes("topology", {{"sockets", std::to_string(node.sockets)},
                                          {"dies", "1"},
                                          {"cores", std::to_string(node.cores)},
                                          {"threads", std::to_string(node.threads)}}));
    add(cpu, with_attributes("pages", {{"unit", "KiB"}, {"size", "4"}}));
    return cpu;
}

Element host_topology(const NodeInfo& node) {
    Element topology("topology");
    auto& cells = add(topology, with_attributes("cells", {{"num", "1"}}));
    auto& cell = add(cells, with_attributes("cell", {{"id", "0"}}));
    auto& memory = add(cell, with_text("memory", kibibytes(node.memory)));
    memory.set_attribute("unit", "KiB");
    auto& cpus = add(cell, with_attributes("cpus", {{"num", std::to_string(node.cpus)}}));
    for (unsigned cpu = 0; cpu < node.cpus; ++cpu) {
        const auto number = std::to_string(cpu);
        add(cpus, with_attributes("cpu", {{"id", number},
                                          {"socket_id", "0"},
                                          {"die_id", "0"},
                                          {"core_id", number},
                                          {"siblings", number}}));
    }
    return topology;
}

Element host_element(const NodeInfo& node) {
    Element host("host");
    if (!node.uuid.empty()) add(host, with_text("uuid", node.uuid));
    add(host, host_cpu(node));
    add(host, Element("power_management"));
    add(host, host_topology(node));
    return host;
}

std::string max_cpus(const std::string& machine) {
    return machine == "microvm" || machine == "none" ? "1"
           : machine.find("q35") != machine.npos     ? "288"
                                                     : "255";
}

void add_machines(Element& arch, const EmulatorInfo& emulator) {
    for (const auto& [alias, name] : emulator.aliases) {
        auto& machine = add(arch, with_text("machine", alias));
        machine.attributes = {{"canonical", name}, {"maxCpus", max_cpus(name)}};
    }
    for (const auto& name : emulator.machines) {
        auto& machine = add(arch, with_text("machine", name));
        machine.attributes = {{"maxCpus", max_cpus(name)}};
    }
}

Element guest_element(const EmulatorInfo& emulator) {
    Element guest("guest");
    add(guest, with_text("os_type", "hvm"));
    auto& arch = add(guest, with_attributes("arch", {{"name", emulator.arch}}));
    add(arch, with_text("wordsize", "64"));
    add(arch, with_text("emulator", emulator.path));
    add_machines(arch, emulator);
    add(arch, with_attributes("domain", {{"type", "qemu"}}));
    if (emulator.kvm) add(arch, with_attributes("domain", {{"type", "kvm"}}));
    auto& features = add(guest, Element("features"));
    add(features, with_attributes("acpi", {{"default", "on"}, {"toggle", "yes"}}));
    add(features, with_attributes("apic", {{"default", "on"}, {"toggle", "no"}}));
    add(features, Element("cpuselection"));
    add(features, Element("deviceboot"));
    add(features, with_attributes("disksnapshot", {{"default", "on"}, {"toggle", "no"}}));
    add(features, with_attributes("externalSnapshot", {}));
    return guest;
}

Element value_list(const char* name, const std::vector<std::string>& values) {
    Element list("enum");
    list.set_attribute("name", name);
    for (const auto& value : values)
        add(list, with_text("value", value));
    return list;
}

/// "pc-q35-7.2" for "q35" and for itself.
std::string require_machine(const EmulatorInfo& emulator, const std::string& wanted) {
    const auto name = wanted.empty() ? std::string("pc") : wanted;
    for (const auto& [alias, machine] : emulator.aliases)
        if (alias == name) return machine;
    if (std::find(emulator.machines.begin(), emulator.machines.end(), name) != emulator.machines.end())
        return name;
    throw Refusal(Code::invalid_argument, Area::qemu,
                  fmt::format("invalid argument: the machine '{}' is not supported by emulator '{}'",
                              text::printable(name), emulator.path));
}

void check_kind(const EmulatorInfo& emulator, const DomainKind& wanted) {
    if (!wanted.arch.empty() && wanted.arch != emulator.arch)
        throw Refusal(Code::invalid_argument, Area::qemu,
                      fmt::format("invalid argument: unable to find any emulator to serve '{}' architecture",
                                  text::printable(wanted.arch)));
    if (wanted.type.empty() || wanted.type == "qemu" || (wanted.type == "kvm" && emulator.kvm)) return;
    throw Refusal(Code::invalid_argument, Area::qemu,
                  wanted.type == "kvm"
                      ? "invalid argument: KVM is not supported by this host (no access to /dev/kvm)"
                      : fmt::format("invalid argument: unknown virttype: {}", text::printable(wanted.type)));
}

Element devices_element() {
    Element devices("devices");
    auto& disk = add(devices, with_attributes("disk", {{"supported", "yes"}}));
    add(disk, value_list("diskDevice", {"disk", "cdrom", "floppy", "lun"}));
    add(disk, value_list("bus", {"ide", "fdc", "scsi", "virtio", "usb", "sata"}));
    add(disk, value_list("model", {"virtio", "virtio-transitional", "virtio-non-transitional"}));
    auto& graphics = add(devices, with_attributes("graphics", {{"supported", "yes"}}));
    add(graphics, value_list("type", {"vnc"}));
    auto& video = add(devices, with_attributes("video", {{"supported", "yes"}}));
    add(video, value_list("modelType", {"vga", "cirrus", "virtio", "bochs", "ramfb", "none"}));
    auto& random = add(devices, with_attributes("rng", {{"supported", "yes"}}));
    add(random, value_list("model", {"virtio"}));
    add(random, value_list("backendModel", {"random"}));
    return devices;
}

} // namespace

std::string capabilities_xml(const NodeInfo& node, const EmulatorFacts& emulator) {
    Element root("capabilities");
    add(root, host_element(node));
    add(root, guest_element(emulator.info));
    return model::to_pretty_text(root);
}

std::string domain_capabilities_xml(const EmulatorFacts& emulator, const DomainKind& wanted) {
    check_kind(emulator.info, wanted);
    Element root("domainCapabilities");
    add(root, with_text("path", emulator.info.path));
    add(root, with_text("domain", wanted.type.empty() ? emulator.info.kvm ? "kvm" : "qemu" : wanted.type));
    add(root, with_text("machine", require_machine(emulator.info, wanted.machine)));
    add(root, with_text("arch", emulator.info.arch));
    add(root, with_attributes("vcpu", {{"max", "255"}}));
    auto& os = add(root, with_attributes("os", {{"supported", "yes"}}));
    auto& loader = add(os, with_attributes("loader", {{"supported", "yes"}}));
    add(loader, value_list("type", {"rom"}));
    auto& cpu = add(root, Element("cpu"));
    const char* passthrough = emulator.info.kvm ? "yes" : "no";
    add(cpu, with_attributes("mode", {{"name", "host-passthrough"}, {"supported", passthrough}}));
    add(cpu, with_attributes("mode", {{"name", "maximum"}, {"supported", "yes"}}));
    add(cpu, with_attributes("mode", {{"name", "host-model"}, {"supported", "no"}}));
    add(cpu, with_attributes("mode", {{"name", "custom"}, {"supported", "no"}}));
    add(root, devices_element());
    return model::to_pretty_text(root);
}

} // namespace domsnap::rpc
