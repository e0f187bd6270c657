// <serial>, <console>, <channel>: the guest's side of character devices.
#include "machine/chardev.h"
#include "machine/pci.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

const model::Element& target_of(const model::Element& device) {
    static const model::Element none("target");
    const auto* target = device.child("target");
    return target ? *target : none;
}

void check(const model::Element& device) {
    only_children(device, {"source", "target", "alias", "address", "log"});
    only_attributes(device, {"type", "tty"});
}

/// libvirt's console of type 'serial' is the first serial port by another name.
bool is_serial_console(const model::Element& console) {
    return target_of(console).attribute("type", "serial") == "serial";
}

void add_serial(Build& build, const model::Element& serial, size_t number) {
    check(serial);
    const auto id = id_of(serial, fmt::format("serial{}", number));
    const auto kind = word_of(target_of(serial), "type", "isa-serial",
                              {"isa-serial", "serial", "pci-serial", "usb-serial"});
    add_chardev(build, serial, "char" + id);
    Json device{{"driver", kind == "serial" ? "isa-serial" : kind}, {"id", id}, {"chardev", "char" + id}};
    if (kind == "pci-serial") return add_pci_device(build, serial, std::move(device));
    if (kind == "usb-serial") device["bus"] = "usb.0";
    if (kind != "usb-serial") device["index"] = number_of(target_of(serial), "port").value_or(number);
    build.arguments.device(DeviceRank::plugged, device);
}

/// The ports of virtio-serial controllers: the document's numbers, and free ones for the rest.
class VirtioPorts {
  public:
    explicit VirtioPorts(const Build& build) {
        for (const auto* name : {"console", "channel"})
            for (const auto* device : build.devices(name))
                if (const auto* address = virtio_address(*device))
                    if (const auto port = number_of(*address, "port"))
                        used_.emplace(controller(*device), *port);
    }
    void place(const model::Element& device, Json& json) {
        const auto* address = virtio_address(device);
        const auto number = controller(device);
        auto port = address ? number_of(*address, "port").value_or(0) : 0;
        // Port 0 is kept for a console: guests before Linux 2.6.37 look for theirs there.
        if (!address || !address->find_attribute("port"))
            for (port = 1; !used_.emplace(number, port).second;)
                ++port;
        json["bus"] = fmt::format("virtio-serial{}.0", number);
        json["nr"] = port;
    }

  private:
    static const model::Element* virtio_address(const model::Element& device) {
        const auto* address = device.child("address");
        return address && address->attribute("type") == "virtio-serial" ? address : nullptr;
    }
    static uint64_t controller(const model::Element& device) {
        const auto* address = virtio_address(device);
        return address ? number_of(*address, "controller").value_or(0) : 0;
    }
    std::set<std::pair<uint64_t, uint64_t>> used_;
};

void add_virtio_console(Build& build, const model::Element& console, size_t number, VirtioPorts& ports) {
    check(console);
    word_of(target_of(console), "type", "serial", {"virtio"});
    const auto id = id_of(console, fmt::format("console{}", number));
    add_chardev(build, console, "char" + id);
    Json device{{"driver", "virtconsole"}, {"id", id}, {"chardev", "char" + id}};
    ports.place(console, device);
    build.arguments.device(DeviceRank::plugged, device);
}

void add_channel(Build& build, const model::Element& channel, size_t number, VirtioPorts& ports) {
    check(channel);
    const auto& target = target_of(channel);
    word_of(target, "type", "", {"virtio"});
    if (channel.attribute("type") == "spicevmc") refuse_attribute(channel, "type", "there is no spice");
    const auto id = id_of(channel, fmt::format("channel{}", number));
    add_chardev(build, channel, "char" + id);
    Json device{{"driver", "virtserialport"}, {"id", id}, {"chardev", "char" + id}};
    if (const auto name = target.attribute("name"); !name.empty()) device["name"] = name;
    ports.place(channel, device);
    build.arguments.device(DeviceRank::plugged, device);
}

void add_consoles(Build& build, bool has_serial, VirtioPorts& ports) {
    const auto consoles = build.devices("console");
    for (size_t i = 0; i < consoles.size(); ++i) {
        if (!is_serial_console(*consoles[i])) {
            add_virtio_console(build, *consoles[i], i, ports);
        } else if (i != 0) {
            refuse(*consoles[i], "only the first console can be a serial port; add a <serial> instead");
        } else if (!has_serial) {
            add_serial(build, *consoles[i], 0);
        } else {
            check(*consoles[i]);
        }
    }
}

} // namespace

void add_character_devices(Build& build) {
    VirtioPorts ports(build);
    const auto serials = build.devices("serial");
    for (size_t i = 0; i < serials.size(); ++i)
        add_serial(build, *serials[i], i);
    add_consoles(build, !serials.empty(), ports);
    const auto channels = build.devices("channel");
    for (size_t i = 0; i < channels.size(); ++i)
        add_channel(build, *channels[i], i, ports);
}

std::vector<std::string> listening_sockets(const model::Domain& domain, const std::string& runtime_folder) {
    std::vector<std::string> paths;
    const auto* devices = domain.document.child("devices");
    if (!devices) return paths;
    const bool has_serial = devices->child("serial");
    for (const auto* name : {"serial", "console", "channel"})
        for (const auto* device : devices->elements(name)) {
            if (device->name == "console" && has_serial && is_serial_console(*device)) continue;
            if (auto path = socket_of(*device, runtime_folder)) paths.push_back(std::move(*path));
        }
    return paths;
}

} // namespace domsnap::machine
