// <controller> of disks, USB and virtio-serial; and those that devices need and the document leaves unsaid.
#include "machine/disk_address.h"
#include "machine/pci.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

uint64_t index_of(const model::Element& controller) { return number_of(controller, "index").value_or(0); }

std::string numbered(const std::string& name, uint64_t index) { return fmt::format("{}{}", name, index); }

bool has_controller(const Build& build, std::string_view type, uint64_t index = 0) {
    const auto all = build.devices("controller");
    return std::any_of(all.begin(), all.end(),
                       [&](const auto* c) { return c->attribute("type") == type && index_of(*c) == index; });
}

/// libvirt's models of USB controllers as QEMU's devices.
std::string usb_driver(const Build& build, const model::Element& controller) {
    static const std::map<std::string, std::string> drivers = {
        {"piix3-uhci", "piix3-usb-uhci"}, {"piix4-uhci", "piix4-usb-uhci"}, {"ehci", "usb-ehci"},
        {"ich9-ehci1", "ich9-usb-ehci1"}, {"ich9-uhci1", "ich9-usb-uhci1"}, {"ich9-uhci2", "ich9-usb-uhci2"},
        {"ich9-uhci3", "ich9-usb-uhci3"}, {"pci-ohci", "pci-ohci"},         {"nec-xhci", "nec-usb-xhci"},
        {"qemu-xhci", "qemu-xhci"},
    };
    const auto found = drivers.find(controller.attribute("model", build.q35 ? "qemu-xhci" : "piix3-uhci"));
    if (found == drivers.end()) refuse_attribute(controller, "model");
    return found->second;
}

void add_usb(Build& build, const model::Element& controller) {
    if (controller.attribute("model") == "none") return;
    const auto driver = usb_driver(build, controller);
    const auto index = index_of(controller);
    const auto id = index ? numbered("usb", index) : "usb";
    Json device{{"driver", driver}};
    if (const auto* master = controller.child("master")) {
        // A companion shares the bus of its master, so it has its own driver's name as id.
        device["id"] = id + "-" + controller.attribute("model");
        device["masterbus"] = id + ".0";
        device["firstport"] = number_of(*master, "startport").value_or(0);
    } else {
        device["id"] = id_of(controller, id);
    }
    if (const auto ports = number_of(controller, "ports")) {
        if (driver.find("xhci") == std::string::npos || *ports > 15)
            refuse_attribute(controller, "ports", "xhci has up to 15");
        device["p2"] = *ports;
        device["p3"] = *ports;
    }
    add_pci_device(build, controller, std::move(device));
}

void add_scsi(Build& build, const model::Element& controller) {
    static const std::map<std::string, std::string> drivers = {
        {"virtio-scsi", "virtio-scsi-pci"},
        {"virtio-transitional", "virtio-scsi-pci-transitional"},
        {"virtio-non-transitional", "virtio-scsi-pci-non-transitional"},
        {"lsilogic", "lsi"},
        {"am53c974", "am53c974"},
    };
    const auto found = drivers.find(controller.attribute("model", "virtio-scsi"));
    if (found == drivers.end())
        refuse_attribute(controller, "model", "it knows virtio-scsi, lsilogic and am53c974");
    Json device{{"driver", found->second}, {"id", id_of(controller, numbered("scsi", index_of(controller)))}};
    if (const auto* driver = controller.child("driver")) {
        only_attributes(*driver, {"queues", "iothread"});
        if (const auto queues = number_of(*driver, "queues")) device["num_queues"] = *queues;
        if (const auto thread = number_of(*driver, "iothread"))
            device["iothread"] = numbered("iothread", *thread);
    }
    add_pci_device(build, controller, std::move(device));
}

void add_sata(Build& build, const model::Element& controller) {
    const auto index = index_of(controller);
    if (build.q35 && index == 0) return; // part of the machine, at 00:1f.2
    add_pci_device(build, controller,
                   {{"driver", "ahci"}, {"id", id_of(controller, numbered("sata", index))}});
}

void add_virtio_serial(Build& build, const model::Element& controller) {
    Json device{{"driver", virtio_driver("serial", controller.attribute("model"))},
                {"id", id_of(controller, numbered("virtio-serial", index_of(controller)))}};
    if (const auto ports = number_of(controller, "ports")) device["max_ports"] = *ports;
    add_pci_device(build, controller, std::move(device));
}

void add_controller(Build& build, const model::Element& controller) {
    only_children(controller, {"address", "alias", "master", "driver"});
    only_attributes(controller, {"type", "index", "model", "ports", "vectors"});
    const auto type =
        word_of(controller, "type", "", {"usb", "scsi", "sata", "ide", "virtio-serial", "fdc", "isa"});
    if (type == "usb") add_usb(build, controller);
    if (type == "scsi") add_scsi(build, controller);
    if (type == "sata") add_sata(build, controller);
    if (type == "virtio-serial") add_virtio_serial(build, controller);
    if (type == "ide" && (build.q35 || index_of(controller) != 0))
        refuse(controller, build.q35 ? "a q35 has no IDE" : "a pc has one IDE controller", "use type='sata'");
}

/// The controller that libvirt would add to the document by itself.
void add_missing(Build& build, const std::string& type, uint64_t index = 0) {
    if (has_controller(build, type, index)) return;
    model::Element controller("controller");
    controller.set_attribute("type", type);
    controller.set_attribute("index", std::to_string(index));
    add_controller(build, controller);
}

bool on_bus(const model::Element& device, std::string_view bus) {
    const auto* target = device.child("target");
    return device.attribute("bus") == bus || (target && target->attribute("bus") == bus);
}

bool needs_usb(const Build& build) {
    for (const auto* input : build.devices("input"))
        if (on_bus(*input, "usb") || (!input->find_attribute("bus") && input->attribute("type") == "tablet"))
            return true;
    for (const auto* disk : build.devices("disk"))
        if (on_bus(*disk, "usb")) return true;
    return !build.devices("hub").empty();
}

bool needs_virtio_serial(const Build& build) {
    for (const auto* name : {"channel", "console"})
        for (const auto* device : build.devices(name))
            if (const auto* target = device->child("target"); target && target->attribute("type") == "virtio")
                return true;
    return false;
}

void add_missing_disk_controllers(Build& build) {
    std::set<std::pair<std::string, uint64_t>> needed;
    for (const auto& disk : build.domain.disks)
        if (disk.bus == "scsi" || disk.bus == "sata")
            needed.emplace(disk.bus, drive_address(disk, disk_element(build.domain, disk)).controller);
    for (const auto& [type, index] : needed)
        add_missing(build, type, index);
}

/// A pc has one; a q35 gets it with its first floppy.
void add_floppy_controller(Build& build) {
    const auto& disks = build.domain.disks;
    const bool needed =
        std::any_of(disks.begin(), disks.end(), [](const auto& disk) { return disk.bus == "fdc"; });
    if (build.q35 && needed) build.arguments.device(DeviceRank::hub, {{"driver", "isa-fdc"}, {"id", "fdc0"}});
}

} // namespace

void add_other_controllers(Build& build) {
    for (const auto* controller : build.devices("controller"))
        if (controller->attribute("type") != "pci") add_controller(build, *controller);
    if (needs_usb(build)) add_missing(build, "usb");
    if (needs_virtio_serial(build)) add_missing(build, "virtio-serial");
    add_missing_disk_controllers(build);
    add_floppy_controller(build);
}

} // namespace domsnap::machine
