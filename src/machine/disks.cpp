// <disk> -> -device. The images below it are blocks.cpp's.
#include "machine/devices.h"
#include "machine/disk_address.h"
#include "machine/pci.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

void check_disk(const model::Disk& disk, const model::Element& element) {
    only_children(element, {"driver", "source", "backingStore", "target", "readonly", "serial", "wwn",
                            "vendor", "product", "boot", "alias", "address", "blockio"});
    only_attributes(element, {"type", "device", "snapshot", "model"});
    if (disk.type != "file" && disk.type != "block")
        refuse_attribute(element, "type", "it runs disks of type 'file' and 'block'");
    if (disk.device == model::DiskDevice::lun)
        refuse_attribute(element, "device", "the host's SCSI device cannot be snapshotted");
    if (const auto* source = element.child("source")) {
        only_children(*source, {"seclabel"});
        only_attributes(*source, {"file", "dev", "startupPolicy", "index"});
    }
    const auto* driver = element.child("driver");
    if (!driver) return;
    only_children(*driver, {});
    only_attributes(*driver, {"name", "type", "cache", "io", "discard", "detect_zeroes", "error_policy",
                              "rerror_policy", "iothread", "queues", "queue_size", "ioeventfd", "event_idx",
                              "packed", "copy_on_read"});
    word_of(*driver, "name", "qemu", {"qemu"});
    if (switch_of(*driver, "copy_on_read").value_or(false)) refuse_attribute(*driver, "copy_on_read");
}

/// libvirt's words for QEMU's werror and rerror; 'enospace' is of writing only.
void add_error_policy(const model::Element& driver, Json& device) {
    const auto both = word_of(driver, "error_policy", "", {"stop", "report", "ignore", "enospace"});
    const auto reading = word_of(driver, "rerror_policy", both, {"stop", "report", "ignore"});
    if (!both.empty()) device["werror"] = both == "enospace" ? "enospc" : both;
    if (!reading.empty()) device["rerror"] = reading == "enospace" ? "report" : reading;
}

void add_virtio_properties(const model::Element& driver, Json& device) {
    for (const auto* name : {"ioeventfd", "event_idx", "packed"})
        if (const auto value = switch_of(driver, name)) device[name] = *value;
    if (const auto queues = number_of(driver, "queues")) device["num-queues"] = *queues;
    if (const auto size = number_of(driver, "queue_size")) device["queue-size"] = *size;
    if (const auto thread = number_of(driver, "iothread"))
        device["iothread"] = fmt::format("iothread{}", *thread);
}

void add_driver_properties(const model::Disk& disk, const model::Element& element, Json& device) {
    const auto* driver = element.child("driver");
    if (!driver) return;
    const auto cache = driver->attribute("cache", "default");
    if (cache != "default" && disk.bus != "fdc")
        device["write-cache"] = on_off(cache != "writethrough" && cache != "directsync");
    add_error_policy(*driver, device);
    if (disk.bus == "virtio") return add_virtio_properties(*driver, device);
    for (const auto* name : {"iothread", "queues", "queue_size", "ioeventfd", "event_idx", "packed"})
        if (driver->find_attribute(name)) refuse_attribute(*driver, name, "it is of virtio disks");
}

void add_identity(const model::Disk& disk, const model::Element& element, Json& device) {
    if (const auto serial = element.text_at("serial"); !serial.empty()) device["serial"] = serial;
    if (const auto* wwn = element.child("wwn")) {
        const auto number = text::to_u64_any_base("0x" + wwn->text());
        if (!number || disk.bus == "virtio" || disk.bus == "usb" || disk.bus == "fdc")
            refuse(*wwn, "not 16 hexadecimal digits, or not a disk that can have one");
        device["wwn"] = *number;
    }
    for (const auto* name : {"vendor", "product"})
        if (const auto* word = element.child(name)) {
            if (disk.bus != "scsi") refuse(*word, "it is of SCSI disks");
            device[name] = word->text();
        }
}

void add_block_sizes(const model::Element& element, Json& device) {
    const auto* sizes = element.child("blockio");
    if (!sizes) return;
    only_attributes(*sizes, {"logical_block_size", "physical_block_size", "discard_granularity"});
    for (const auto* name : {"logical_block_size", "physical_block_size", "discard_granularity"})
        if (const auto size = number_of(*sizes, name)) device[name] = *size;
}

const model::Element* controller_of(const Build& build, std::string_view type, uint64_t index) {
    for (const auto* controller : build.devices("controller"))
        if (controller->attribute("type") == type && number_of(*controller, "index").value_or(0) == index)
            return controller;
    return nullptr;
}

void place_on_scsi(const Build& build, const DriveAddress& at, const model::Element& element, Json& device) {
    const auto* controller = controller_of(build, "scsi", at.controller);
    const auto model = controller ? controller->attribute("model", "virtio-scsi") : "virtio-scsi";
    device["bus"] = fmt::format("scsi{}.0", at.controller);
    if (model.starts_with("virtio")) {
        device["channel"] = 0;
        device["scsi-id"] = at.target;
        device["lun"] = at.unit;
    } else {
        if (at.target != 0) refuse(element, "this controller has one target, 0");
        device["scsi-id"] = at.unit;
    }
    // libvirt's, so that /dev/disk/by-id is the same under both.
    if (!device.contains("serial"))
        device["device_id"] = fmt::format("drive-scsi{}-{}-{}-{}", at.controller, at.bus, at.target, at.unit);
}

std::string ide_bus(const Build& build, const model::Disk& disk, const DriveAddress& at,
                    const model::Element& element) {
    if (disk.bus == "ide") {
        if (build.q35) refuse(element, "a q35 has no IDE", "use bus='sata'");
        if (at.controller != 0 || at.bus > 1 || at.unit > 1)
            refuse(element, "a pc has two IDE buses with two units each");
        return fmt::format("ide.{}", at.bus);
    }
    if (at.unit > 5) refuse(element, "a SATA controller has six ports");
    if (build.q35 && at.controller == 0) return fmt::format("ide.{}", at.unit);
    return fmt::format("sata{}.{}", at.controller, at.unit);
}

void place_on_usb(const model::Element& element, Json& device) {
    const auto* address = element.child("address");
    if (address && address->attribute("type") != "usb")
        refuse_attribute(*address, "type", "a USB device's is 'usb'");
    const auto bus = address ? number_of(*address, "bus").value_or(0) : 0;
    device["bus"] = bus ? fmt::format("usb{}.0", bus) : "usb.0";
    if (address && address->find_attribute("port")) device["port"] = address->attribute("port");
    device["removable"] = false;
    if (const auto* target = element.child("target"))
        device["removable"] = word_of(*target, "removable", "off", {"on", "off"}) == "on";
}

std::string driver_of(const model::Disk& disk, const model::Element& element) {
    const bool cdrom = disk.device == model::DiskDevice::cdrom;
    if ((disk.device == model::DiskDevice::floppy) != (disk.bus == "fdc"))
        refuse(element, "a floppy is on the bus 'fdc', and nothing else is");
    if (disk.bus == "fdc") return "floppy";
    if (disk.bus == "ide" || disk.bus == "sata") return cdrom ? "ide-cd" : "ide-hd";
    if (disk.bus == "scsi") return cdrom ? "scsi-cd" : "scsi-hd";
    if (cdrom)
        refuse(element, fmt::format("a cdrom cannot be on the bus '{}'", disk.bus),
               "use bus='sata' or 'ide'");
    if (disk.bus == "virtio")
        return virtio_driver("blk", word_of(element, "model", "virtio",
                                            {"virtio", "virtio-transitional", "virtio-non-transitional"}));
    if (disk.bus == "usb") return "usb-storage";
    const auto* target = element.child("target");
    refuse_attribute(target ? *target : element, "bus", "it knows virtio, sata, ide, scsi, usb and fdc");
}

/// The floppy drive's controller has the boot index, not the drive.
void boot_from_floppy(Build& build, const DriveAddress& at, unsigned order) {
    build.arguments.option("-global", fmt::format("isa-fdc.bootindex{}={}", at.unit == 0 ? 'A' : 'B', order));
}

/// The node of the medium that the drive begins with, which is added too; a drive may be empty.
void add_medium(Build& build, const model::Disk& disk, const model::Element& element, Json& device) {
    if (disk.empty() && disk.device == model::DiskDevice::disk)
        refuse(element, "it has no medium, and only cdroms and floppies can be empty");
    if (disk.empty()) return;
    add_block_nodes(build, disk, element);
    const auto chain = build.facts.chains.find(disk.target);
    const auto images = chain == build.facts.chains.end() ? 1 : std::max<size_t>(chain->second.size(), 1);
    device["drive"] = node_name(disk.target, static_cast<unsigned>(images - 1));
}

/// Onto a bus of drives: SCSI, IDE, SATA or the floppy controller's.
void place_drive(Build& build, const model::Disk& disk, const model::Element& element, Json& device) {
    const auto at = drive_address(disk, element);
    if (disk.bus == "scsi") return place_on_scsi(build, at, element, device);
    if (disk.bus == "fdc") {
        device["unit"] = at.unit;
        const auto boot = build.boot.find(&element);
        if (boot != build.boot.end()) boot_from_floppy(build, at, boot->second);
        return;
    }
    device["bus"] = ide_bus(build, disk, at, element);
    device["unit"] = disk.bus == "ide" ? at.unit : 0;
}

void add_disk(Build& build, const model::Disk& disk, const model::Element& element) {
    check_disk(disk, element);
    Json device{{"driver", driver_of(disk, element)}, {"id", disk_device_id(build.domain, disk.target)}};
    add_medium(build, disk, element, device);
    add_driver_properties(disk, element, device);
    add_identity(disk, element, device);
    add_block_sizes(element, device);
    const auto boot = build.boot.find(&element);
    if (boot != build.boot.end() && disk.bus != "fdc") device["bootindex"] = boot->second;
    if (disk.bus == "virtio") return add_pci_device(build, element, std::move(device));
    if (disk.bus == "usb") place_on_usb(element, device);
    if (disk.bus != "usb") place_drive(build, disk, element, device);
    build.arguments.device(DeviceRank::plugged, device);
}

} // namespace

void add_disks(Build& build) {
    for (const auto& disk : build.domain.disks)
        add_disk(build, disk, disk_element(build.domain, disk));
}

} // namespace domsnap::machine
