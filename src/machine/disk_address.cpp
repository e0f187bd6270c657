#include "machine/disk_address.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/build.h"
#include "machine/devices.h"

#include <array>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

/// libvirt's virDomainDiskDefAssignAddress: how many disks a controller of that bus takes by default.
DriveAddress default_address(const std::string& bus, unsigned index) {
    if (bus == "ide") return {index / 4, index % 4 / 2, 0, index % 2};
    if (bus == "sata") return {index / 6, 0, 0, index % 6};
    if (bus == "fdc") return {0, 0, 0, index};
    return {index / 7, 0, 0, index % 7}; // scsi, counted as if it were narrow
}

const model::Disk& disk_of(const model::Domain& domain, const std::string& target) {
    for (const auto& disk : domain.disks)
        if (disk.target == target) return disk;
    throw Error(ErrorCode::not_found, fmt::format("domain '{}' has no disk '{}'",
                                                  text::printable(domain.name), text::printable(target)));
}

std::string default_id(const model::Disk& disk, const model::Element& element) {
    if (disk.bus == "virtio") return fmt::format("virtio-disk{}", disk_index(disk, element));
    if (disk.bus == "usb") return fmt::format("usb-disk{}", disk_index(disk, element));
    const auto at = drive_address(disk, element);
    if (disk.bus == "scsi") return fmt::format("scsi{}-{}-{}-{}", at.controller, at.bus, at.target, at.unit);
    return fmt::format("{}{}-{}-{}", disk.bus, at.controller, at.bus, at.unit);
}

} // namespace

const model::Element& disk_element(const model::Domain& domain, const model::Disk& disk) {
    const auto* devices = domain.document.child("devices");
    if (devices)
        for (const auto* element : devices->elements("disk"))
            if (const auto* target = element->child("target");
                target && target->attribute("dev") == disk.target)
                return *element;
    throw Error(ErrorCode::not_found,
                fmt::format("the document has no disk '{}'", text::printable(disk.target)));
}

unsigned disk_index(const model::Disk& disk, const model::Element& element) {
    static constexpr std::array<std::string_view, 5> prefixes = {"vd", "sd", "hd", "fd", "xvd"};
    const auto* target = element.child("target");
    for (const auto prefix : prefixes) {
        if (!disk.target.starts_with(prefix)) continue;
        const auto letters = std::string_view(disk.target).substr(prefix.size());
        unsigned index = 0;
        bool good = !letters.empty() && letters.size() <= 3;
        for (const char letter : letters) {
            good = good && letter >= 'a' && letter <= 'z';
            index = index * 26 + static_cast<unsigned>(letter - 'a' + 1);
        }
        if (good) return index - 1;
    }
    refuse_attribute(target ? *target : element, "dev", "not a name such as 'vda' or 'sdb'");
}

DriveAddress drive_address(const model::Disk& disk, const model::Element& element) {
    const auto* address = element.child("address");
    if (!address) return default_address(disk.bus, disk_index(disk, element));
    if (address->attribute("type") != "drive")
        refuse_attribute(*address, "type", "this disk's address is a drive's");
    only_attributes(*address, {"type", "controller", "bus", "target", "unit"});
    const auto part = [&](std::string_view name) {
        const auto value = number_of(*address, name).value_or(0);
        if (value > 16383) refuse_attribute(*address, name); // virtio-scsi's most
        return value;
    };
    return {part("controller"), part("bus"), part("target"), part("unit")};
}

std::string disk_device_id(const model::Domain& domain, const std::string& target) {
    const auto& disk = disk_of(domain, target);
    const auto& element = disk_element(domain, disk);
    return id_of(element, default_id(disk, element));
}

std::string drive_path(const model::Domain& domain, const std::string& target) {
    const auto& disk = disk_of(domain, target);
    const auto* driver = disk_element(domain, disk).child("driver");
    if (disk.bus == "usb" || disk.bus == "fdc" || (driver && driver->find_attribute("iothread"))) return {};
    const auto device = "/machine/peripheral/" + disk_device_id(domain, target);
    return disk.bus == "virtio" ? device + "/virtio-backend" : device;
}

bool names_device(std::string_view qdev, std::string_view id) {
    static constexpr std::string_view devices = "/machine/peripheral/";
    if (qdev == id) return true;
    if (!qdev.starts_with(devices)) return false;
    qdev.remove_prefix(devices.size());
    return qdev.starts_with(id) && (qdev.size() == id.size() || qdev[id.size()] == '/');
}

} // namespace domsnap::machine
