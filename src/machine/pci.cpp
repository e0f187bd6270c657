#include "machine/pci.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

bool is_root(const model::Element& controller) {
    const auto model = controller.attribute("model");
    return model == "pci-root" || model == "pcie-root";
}

/// libvirt gives the next free index to controllers without one; 0 is the root that each machine has.
std::map<const model::Element*, unsigned> pci_indexes(const Build& build) {
    std::map<const model::Element*, unsigned> indexes;
    std::set<unsigned> used{0};
    std::vector<const model::Element*> waiting;
    for (const auto* controller : build.devices("controller")) {
        if (controller->attribute("type") != "pci" || is_root(*controller)) continue;
        const auto index = number_of(*controller, "index");
        if (!index) {
            waiting.push_back(controller);
            continue;
        }
        // 255: a PCI segment has no more buses.
        if (*index > 255 || !used.insert(static_cast<unsigned>(*index)).second)
            refuse_attribute(*controller, "index", "no bus can have this index, or another has it");
        indexes[controller] = static_cast<unsigned>(*index);
    }
    unsigned next = 1;
    for (const auto* controller : waiting) {
        while (used.contains(next))
            ++next;
        used.insert(next);
        indexes[controller] = next;
    }
    return indexes;
}

/// QEMU's device, with the numbers that a bridge of its kind needs. The chassis must differ between bridges;
/// libvirt takes the index, so do we.
Json bridge(const model::Element& controller, unsigned index) {
    static const std::map<std::string, std::pair<std::string, std::string>> drivers = {
        {"pcie-root-port", {"pcie-root-port", "chassis"}},
        {"pcie-switch-upstream-port", {"x3130-upstream", ""}},
        {"pcie-switch-downstream-port", {"xio3130-downstream", "chassis"}},
        {"pcie-to-pci-bridge", {"pcie-pci-bridge", ""}},
        {"dmi-to-pci-bridge", {"i82801b11-bridge", ""}},
        {"pci-bridge", {"pci-bridge", "chassis_nr"}},
    };
    const auto found = drivers.find(controller.attribute("model", "pci-bridge"));
    if (found == drivers.end()) refuse_attribute(controller, "model");
    const auto& [driver, chassis] = found->second;
    Json device{{"driver", driver}, {"id", id_of(controller, fmt::format("pci.{}", index))}};
    static const model::Element none("target");
    const auto* target = controller.child("target") ? controller.child("target") : &none;
    only_attributes(*target, {"chassis", "port", "chassisNr", "hotplug"});
    if (chassis == "chassis") device["port"] = number_of(*target, "port").value_or(index);
    if (!chassis.empty())
        device[chassis] = number_of(*target, chassis == "chassis" ? "chassis" : "chassisNr").value_or(index);
    if (const auto hotplug = switch_of(*target, "hotplug"); hotplug && driver == "pcie-root-port")
        device["hotplug"] = *hotplug;
    return device;
}

/// A bridge can only be made when the bus that it sits on is there: parents first.
unsigned depth_below_root(const std::map<const model::Element*, unsigned>& indexes,
                          const model::Element* controller) {
    unsigned depth = 0;
    while (controller && depth <= indexes.size()) {
        const auto* address = controller->child("address");
        const auto bus = address ? number_of(*address, "bus").value_or(0) : 0;
        const auto parent =
            std::find_if(indexes.begin(), indexes.end(), [&](const auto& e) { return e.second == bus; });
        controller = parent == indexes.end() ? nullptr : parent->first;
        ++depth;
    }
    if (depth > indexes.size()) refuse(*controller, "the PCI controllers sit on each other in a circle");
    return depth;
}

} // namespace

std::string pci_bus(const Build& build, uint64_t index) {
    if (index == 0) return build.q35 ? "pcie.0" : "pci.0";
    return fmt::format("pci.{}", index);
}

bool place_on_pci(const Build& build, const model::Element& element, Json& device) {
    const auto* address = element.child("address");
    if (!address) return false;
    if (address->attribute("type") != "pci")
        refuse_attribute(*address, "type", "a PCI device sits on a PCI bus");
    only_attributes(*address, {"type", "domain", "bus", "slot", "function", "multifunction"});
    if (!address->find_attribute("bus") && !address->find_attribute("slot")) return false;
    if (number_of(*address, "domain").value_or(0) != 0)
        refuse_attribute(*address, "domain", "there is one, 0");
    const auto bus = number_of(*address, "bus").value_or(0);
    if (bus > 255 || !build.pci_buses.contains(static_cast<unsigned>(bus)))
        refuse_attribute(
            *address, "bus", "the document has no PCI controller with this index",
            "add the <controller type='pci'>, or leave the <address> out and QEMU takes a free one");
    const auto slot = number_of(*address, "slot").value_or(0),
               function = number_of(*address, "function").value_or(0);
    if (slot > 31) refuse_attribute(*address, "slot", "a bus has slots 0 to 31");
    if (function > 7) refuse_attribute(*address, "function", "a slot has functions 0 to 7");
    device["bus"] = pci_bus(build, bus);
    device["addr"] = function ? fmt::format("{:#x}.{:#x}", slot, function) : fmt::format("{:#x}", slot);
    if (switch_of(*address, "multifunction").value_or(false)) device["multifunction"] = true;
    return true;
}

void add_pci_device(Build& build, const model::Element& element, Json device) {
    const bool placed = place_on_pci(build, element, device);
    build.arguments.device(placed ? DeviceRank::pci : DeviceRank::pci_anywhere, device);
}

std::string virtio_driver(const std::string& kind, const std::string& model) {
    const auto dash = model.find('-');
    return "virtio-" + kind + "-pci" + (dash == std::string::npos ? "" : model.substr(dash));
}

void add_pci_controllers(Build& build) {
    const auto indexes = pci_indexes(build);
    build.pci_buses = {0};
    for (const auto& [controller, index] : indexes)
        build.pci_buses.insert(index);
    std::vector<const model::Element*> order;
    for (const auto* controller : build.devices("controller")) {
        if (controller->attribute("type") != "pci") continue;
        only_children(*controller, {"address", "alias", "model", "target"});
        only_attributes(*controller, {"type", "index", "model"});
        if (is_root(*controller) && (controller->attribute("model") == "pcie-root") != build.q35)
            refuse_attribute(*controller, "model", "the machine type has another root bus");
        if (!is_root(*controller)) order.push_back(controller);
    }
    std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
        return depth_below_root(indexes, a) < depth_below_root(indexes, b);
    });
    for (const auto* controller : order) {
        auto device = bridge(*controller, indexes.at(controller));
        const bool placed = place_on_pci(build, *controller, device);
        build.arguments.device(placed ? DeviceRank::pci_bus : DeviceRank::pci_bus_anywhere, device);
    }
}

} // namespace domsnap::machine
