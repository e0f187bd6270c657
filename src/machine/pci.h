// Where a device sits on the PCI buses: the document's <address type='pci'>, or wherever QEMU has room.
#pragma once

#include "machine/build.h"

namespace domsnap::machine {

/// Adds "bus" and "addr" of the element's address, if it has one. True if it has. Refuses other kinds of
/// addresses, and a bus without a controller.
bool place_on_pci(const Build& build, const model::Element& element, Json& device);
/// place_on_pci, then the device joins the command line.
void add_pci_device(Build& build, const model::Element& element, Json device);
/// "virtio-blk-pci", and for model='virtio-transitional' or 'virtio-non-transitional' QEMU's driver of that
/// kind.
std::string virtio_driver(const std::string& kind, const std::string& model);
/// The id of the bus of the PCI controller with that index: "pcie.0", "pci.3".
std::string pci_bus(const Build& build, uint64_t index);

} // namespace domsnap::machine
