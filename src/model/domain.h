// A domain: its document, kept whole, and a typed view of what domsnap itself acts on. The devices that only
// QEMU's command line needs are read from the document by the machine room.
#pragma once

#include "model/element.h"
#include "model/location.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::model {

enum class DiskDevice { disk, cdrom, floppy, lun };
const char* to_string(DiskDevice device);

struct Disk {
    std::string target; ///< "vda"
    std::string bus;    ///< "virtio", "sata", "ide", "scsi", "usb", "fdc"
    DiskDevice device = DiskDevice::disk;
    std::string type = "file";        ///< "file", "block", or another of libvirt's that domsnap cannot run
    std::string source;               ///< path; "" = no medium
    std::string format = "raw";       ///< <driver type=>; libvirt's default is raw
    bool readonly = false;            ///< cdroms are, always
    std::optional<Location> snapshot; ///< the snapshot= attribute
    int line = 0;

    bool empty() const { return source.empty(); }
    /// Nothing to save: read-only, a cdrom or floppy, or without a medium.
    bool defaults_to_no() const { return readonly || device != DiskDevice::disk || empty(); }
};

struct Domain {
    Element document;          ///< <domain>
    std::string name, uuid;    ///< uuid "" until define gave it one
    std::string type;          ///< "kvm" or "qemu"
    std::string arch, machine; ///< machine as in the document: "q35" or "pc-q35-7.2"
    std::string emulator;      ///< "" = default
    uint64_t memory = 0;       ///< bytes
    unsigned vcpus = 1;
    std::vector<Disk> disks; ///< in the document's order

    /// By target, or by source if it begins with '/'; nullptr for a path that two disks have.
    const Disk* find_disk(std::string_view target_or_path) const;
};

/// The typed view of a <domain> element (or of an <inactiveDomain>, which becomes one). Throws
/// invalid_request naming the element and line: no name, a name with
/// '/', control characters or over 255 bytes when encoded, no memory, a bad unit or number, a disk without a
/// target, two disks with one target, over 4096 disks, a bad uuid, no type.
Domain domain_from(Element document);

/// Points a disk of the document (and of the view) at another file; drops a <backingStore> that would be
/// untrue.
void set_disk_source(Domain& domain, const std::string& target, const std::string& type,
                     const std::string& path, const std::string& format);
void set_machine(Domain& domain, const std::string& machine);
void set_uuid(Domain& domain, const std::string& uuid);
void set_name(Domain& domain, const std::string& name);

/// Without passwords: what libvirt shows only with --security-info.
Element without_secrets(Element domain);

/// Throws invalid_request if the text cannot be a domain's name (see domain_from).
void check_domain_name(const std::string& name);

} // namespace domsnap::model
