// <interface>: QEMU's own user-mode network, which needs nothing of the host, or a bridge of the host's.
#include "machine/pci.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

constexpr const char* known_types = "domsnap runs interfaces of type 'user', 'network' and 'bridge'";
constexpr const char* use_user =
    "use <interface type='user'>, or pass QEMU's own options in <qemu:commandline>";

/// "" = QEMU's own network. What a network is has been looked up before (machine/networks.h).
std::string bridge_of(const model::Element& interface) {
    if (interface.attribute("type") == "user") return {};
    const auto* source = interface.child("source");
    const auto bridge = source ? source->attribute("bridge") : "";
    if (bridge.empty()) refuse_attribute(interface, "type", "it does not say which: <source bridge='NAME'/>");
    return bridge;
}

std::string driver_of(const model::Element& interface) {
    static const std::map<std::string, std::string> drivers = {
        {"virtio", "virtio-net-pci"},
        {"virtio-transitional", "virtio-net-pci-transitional"},
        {"virtio-non-transitional", "virtio-net-pci-non-transitional"},
        {"e1000", "e1000"},
        {"e1000e", "e1000e"},
        {"rtl8139", "rtl8139"},
        {"pcnet", "pcnet"},
        {"ne2k_pci", "ne2k_pci"},
    };
    const auto* model = interface.child("model");
    const auto found =
        drivers.find(model ? model->attribute("type") : "rtl8139"); // libvirt's default on a PC
    if (found == drivers.end()) refuse_attribute(*model, "type", "it knows virtio, e1000, e1000e, rtl8139");
    return found->second;
}

/// The addresses of the network inside QEMU: <ip family='ipv4' address='172.17.2.0' prefix='24'/>.
std::string addresses(const model::Element& interface) {
    std::string options;
    for (const auto* ip : interface.elements("ip")) {
        only_attributes(*ip, {"family", "address", "prefix"});
        const bool six = word_of(*ip, "family", "ipv4", {"ipv4", "ipv6"}) == "ipv6";
        const auto prefix = number_of(*ip, "prefix").value_or(six ? 64 : 24);
        if (six)
            options += fmt::format(",ipv6-prefix={},ipv6-prefixlen={}",
                                   escape_commas(ip->attribute("address")), prefix);
        else
            options += fmt::format(",net={}/{}", escape_commas(ip->attribute("address")), prefix);
    }
    return options;
}

void add_rom(const model::Element& interface, Json& device) {
    const auto* rom = interface.child("rom");
    if (!rom) return;
    only_attributes(*rom, {"enabled", "bar", "file"});
    if (!switch_of(*rom, "enabled").value_or(true)) device["romfile"] = "";
    if (const auto* file = rom->find_attribute("file")) device["romfile"] = *file;
    if (const auto bar = switch_of(*rom, "bar")) device["rombar"] = *bar ? 1 : 0;
}

void check(const model::Element& interface) {
    const auto type = interface.attribute("type");
    if (type != "user" && type != "network" && type != "bridge")
        refuse_attribute(interface, "type", known_types, use_user);
    // <target>, portid= and the like are what libvirt leaves in a live document, and ask for nothing.
    if (type == "user") {
        only_children(interface, {"mac", "model", "alias", "address", "boot", "ip", "rom", "mtu", "link",
                                  "target", "backend"});
    } else {
        only_children(interface, {"mac", "model", "alias", "address", "boot", "rom", "mtu", "link", "target",
                                  "backend", "source"});
        if (const auto* source = interface.child("source"))
            only_attributes(*source, {"network", "bridge", "portid"});
    }
    only_attributes(interface, {"type", "trustGuestRxFilters"});
    if (const auto* backend = interface.child("backend")) word_of(*backend, "type", "default", {"default"});
    if (const auto* link = interface.child("link")) word_of(*link, "state", "up", {"up"});
}

/// A trial plugs nothing in: to the guest the device is the same.
std::string backend(const Build& build, const model::Element& interface, const std::string& id,
                    size_t& taps) {
    if (bridge_of(interface).empty() || build.facts.trial)
        return fmt::format("user,id=host{}{}", id, addresses(interface));
    const auto& fds = build.facts.tap_fds;
    return fmt::format("tap,id=host{},fd={}", id, taps < fds.size() ? fds[taps++] : -1);
}

void add_interface(Build& build, const model::Element& interface, size_t number, size_t& taps) {
    check(interface);
    const auto id = id_of(interface, fmt::format("net{}", number));
    build.arguments.option("-netdev", backend(build, interface, id, taps));
    Json device{{"driver", driver_of(interface)}, {"id", id}, {"netdev", "host" + id}};
    if (const auto* mac = interface.child("mac")) device["mac"] = mac->attribute("address");
    if (const auto* mtu = interface.child("mtu"))
        if (const auto size = number_of(*mtu, "size")) device["host_mtu"] = *size;
    if (const auto boot = build.boot.find(&interface); boot != build.boot.end())
        device["bootindex"] = boot->second;
    add_rom(interface, device);
    add_pci_device(build, interface, std::move(device));
}

} // namespace

void add_interfaces(Build& build) {
    const auto interfaces = build.devices("interface");
    size_t taps = 0;
    for (size_t i = 0; i < interfaces.size(); ++i)
        add_interface(build, *interfaces[i], i, taps);
}

std::vector<std::string> bridges_of(const model::Domain& domain) {
    std::vector<std::string> bridges;
    const auto* devices = domain.document.child("devices");
    if (!devices) return bridges;
    for (const auto* interface : devices->elements("interface")) {
        check(*interface);
        if (auto bridge = bridge_of(*interface); !bridge.empty()) bridges.push_back(std::move(bridge));
    }
    return bridges;
}

} // namespace domsnap::machine
