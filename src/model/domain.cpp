#include "model/domain.h"

#include "base/error.h"
#include "base/text.h"
#include "base/uuid.h"
#include "model/unit.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace domsnap::model {

namespace {

[[noreturn]] void refuse(const Element& element, const std::string& reason, std::string hint = {}) {
    const auto where = element.line > 0 ? fmt::format("line {}: ", element.line) : std::string{};
    throw Error(ErrorCode::invalid_request, fmt::format("XML error: {}<{}>: {}", where, element.name, reason),
                std::move(hint));
}

uint64_t memory_size(const Element& domain) {
    const auto* memory = domain.child("memory");
    if (!memory) refuse(domain, "no <memory>: how much RAM the domain has must be said");
    const auto unit = memory->attribute("unit", "KiB");
    const auto factor = unit_size(unit);
    if (!factor)
        refuse(*memory, fmt::format("unknown suffix '{}'", unit),
               "units are b, KiB, MiB, GiB, TiB, KB, MB, …");
    const auto number = text::to_u64(memory->text());
    if (!number) refuse(*memory, fmt::format("'{}' is not a number", text::printable(memory->text())));
    if (*number == 0) refuse(*memory, "must be more than zero");
    constexpr auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (*number > limit / *factor) refuse(*memory, "the value is too large");
    return (*number * *factor + 1023) / 1024 * 1024; // libvirt counts in KiB, rounding up
}

unsigned vcpu_count(const Element& domain) {
    const auto* vcpu = domain.child("vcpu");
    if (!vcpu || vcpu->text().empty()) return 1;
    const auto number = text::to_u64(vcpu->text());
    if (!number || *number == 0 || *number > 65535) {
        refuse(*vcpu, fmt::format("'{}' is not a number of CPUs", text::printable(vcpu->text())));
    }
    return static_cast<unsigned>(*number);
}

DiskDevice device_kind(const Element& disk) {
    const auto word = disk.attribute("device", "disk");
    for (const auto kind : {DiskDevice::disk, DiskDevice::cdrom, DiskDevice::floppy, DiskDevice::lun})
        if (word == to_string(kind)) return kind;
    refuse(disk, fmt::format("Invalid value for attribute 'device' in element 'disk': '{}'.",
                             text::printable(word)));
}

std::string default_bus(std::string_view target) {
    if (target.starts_with("vd")) return "virtio";
    if (target.starts_with("sd")) return "scsi";
    if (target.starts_with("fd")) return "fdc";
    return "ide";
}

/// What names the medium in each of libvirt's types; a network disk's is not a path, but it is not empty
/// either.
std::string medium(const Element& disk, const std::string& type) {
    const auto* source = disk.child("source");
    if (!source) return {};
    if (type == "file") return source->attribute("file");
    if (type == "block") return source->attribute("dev");
    if (type == "dir") return source->attribute("dir");
    if (type == "volume") return source->attribute("volume");
    const auto name = source->attribute("name");
    return name.empty() ? source->attribute("protocol", type) : name;
}

Disk disk_from(const Element& element) {
    Disk disk;
    disk.line = element.line;
    disk.device = device_kind(element);
    disk.type = element.attribute("type", disk.type);
    const auto* target = element.child("target");
    disk.target = target ? target->attribute("dev") : std::string{};
    if (disk.target.empty())
        refuse(element, "missing target information for the disk", "give it a <target dev='vda'/>");
    if (disk.target.find('/') != std::string::npos) refuse(*target, "a target is a plain name such as 'vda'");
    disk.bus = target->attribute("bus", disk.device == DiskDevice::floppy ? "fdc" : default_bus(disk.target));
    disk.source = medium(element, disk.type);
    if (const auto* driver = element.child("driver")) disk.format = driver->attribute("type", disk.format);
    disk.readonly = disk.device == DiskDevice::cdrom || element.child("readonly");
    if (const auto* word = element.find_attribute("snapshot")) {
        disk.snapshot = location_from(*word);
        if (!disk.snapshot)
            refuse(element, fmt::format("unknown disk snapshot setting '{}'", text::printable(*word)),
                   "it is no, internal, external or manual");
    }
    return disk;
}

std::vector<Disk> disks_from(const Element& domain) {
    std::vector<Disk> disks;
    const auto* devices = domain.child("devices");
    if (!devices) return disks;
    const auto elements = devices->elements("disk");
    // More than any machine can hold; it keeps every comparison of disks with disks short.
    if (elements.size() > 4096) refuse(*devices, "more than 4096 disks");
    std::set<std::string> targets;
    for (const auto* element : elements) {
        disks.push_back(disk_from(*element));
        if (!targets.insert(disks.back().target).second)
            refuse(*element, fmt::format("target '{}' duplicated", text::printable(disks.back().target)));
    }
    return disks;
}

std::string uuid_from(const Element& domain) {
    const auto* element = domain.child("uuid");
    if (!element) return {};
    const auto uuid = canonical_uuid(element->text());
    if (!uuid) refuse(*element, fmt::format("malformed uuid '{}'", text::printable(element->text())));
    return *uuid;
}

std::string name_from(const Element& domain) {
    const auto* element = domain.child("name");
    if (!element) refuse(domain, "missing <name>");
    const auto name = element->content();
    try {
        check_domain_name(name);
    } catch (const Error& error) {
        refuse(*element, error.what(), error.hint());
    }
    return name;
}

} // namespace

const char* to_string(DiskDevice device) {
    switch (device) {
    case DiskDevice::disk:
        return "disk";
    case DiskDevice::cdrom:
        return "cdrom";
    case DiskDevice::floppy:
        return "floppy";
    case DiskDevice::lun:
        return "lun";
    }
    return "";
}

const Disk* Domain::find_disk(std::string_view target_or_path) const {
    const bool by_path = text::starts_with_slash(target_or_path);
    const Disk* found = nullptr;
    for (const auto& disk : disks) {
        if ((by_path ? disk.source : disk.target) != target_or_path) continue;
        if (found) return nullptr;
        found = &disk;
    }
    return found;
}

void check_domain_name(const std::string& name) {
    const auto bad = [&](const char* reason, std::string hint = {}) {
        throw Error(ErrorCode::invalid_request,
                    fmt::format("invalid domain name '{}': {}", text::printable(name.substr(0, 300)), reason),
                    std::move(hint));
    };
    if (name.empty()) bad("name can't be empty");
    if (name.find('/') != std::string::npos) bad("name can't contain '/'");
    if (std::any_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        bad("name can't contain control characters");
    if (text::percent_encode(name).size() > 255)
        bad("name is too long for a folder",
            "at most 255 bytes; all but letters, digits, '-', '_', '.' count three");
}

Domain domain_from(Element document) {
    if (document.name != "domain" && document.name != "inactiveDomain")
        throw Error(ErrorCode::invalid_request,
                    fmt::format("XML error: expecting root element of 'domain', not '{}'",
                                text::printable(document.name)));
    Domain domain;
    domain.type = document.attribute("type");
    if (domain.type.empty()) refuse(document, "missing domain type attribute", "type is 'kvm' or 'qemu'");
    domain.name = name_from(document);
    domain.uuid = uuid_from(document);
    if (const auto* type = document.at("os/type")) {
        domain.arch = type->attribute("arch");
        domain.machine = type->attribute("machine");
    }
    domain.emulator = document.text_at("devices/emulator");
    domain.memory = memory_size(document);
    domain.vcpus = vcpu_count(document);
    domain.disks = disks_from(document);
    domain.document = std::move(document);
    domain.document.name = "domain";
    return domain;
}

} // namespace domsnap::model
