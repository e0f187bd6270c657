// <interface type='user'>: QEMU's own user-mode network, the only kind that needs nothing of the host.
#include "machine/pci.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

constexpr const char* user_only = "domsnap runs interfaces of type 'user' only";
constexpr const char* use_user =
    "use <interface type='user'>, or pass QEMU's own options in <qemu:commandline>";

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
    if (interface.attribute("type") != "user") refuse_attribute(interface, "type", user_only, use_user);
    // <source> and <target> are what libvirt leaves in a live document; neither says anything of a user
    // network.
    only_children(interface, {"mac", "model", "alias", "address", "boot", "ip", "rom", "mtu", "link",
                              "target", "backend"});
    only_attributes(interface, {"type", "trustGuestRxFilters"});
    if (const auto* backend = interface.child("backend")) word_of(*backend, "type", "default", {"default"});
    if (const auto* link = interface.child("link")) word_of(*link, "state", "up", {"up"});
}

void add_interface(Build& build, const model::Element& interface, size_t number) {
    check(interface);
    const auto id = id_of(interface, fmt::format("net{}", number));
    build.arguments.option("-netdev", fmt::format("user,id=host{}{}", id, addresses(interface)));
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
    for (size_t i = 0; i < interfaces.size(); ++i)
        add_interface(build, *interfaces[i], i);
}

} // namespace domsnap::machine
