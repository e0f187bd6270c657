// What two QEMUs of one domain would fight over.
#include "machine/process.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

std::string display_problem(const model::Element& graphics) {
    const auto* listen = graphics.child("listen");
    const bool socket = graphics.find_attribute("socket") || (listen && listen->attribute("type") == "socket");
    if (socket) return "its display listens on a socket";
    const bool automatic = graphics.attribute("port", "-1") == "-1" || graphics.attribute("autoport") == "yes";
    return automatic || (listen && listen->attribute("type") == "none") ? "" : "its display has a fixed port";
}

std::string character_problem(const model::Element& device) {
    const auto type = device.attribute("type", "pty");
    const auto* source = device.child("source");
    if (device.child("log")) return fmt::format("its {} is logged to a file", device.name);
    if (type == "unix" && source && source->attribute("mode") == "connect")
        return fmt::format("its {} is a client's socket", device.name);
    if (type == "pty" || type == "null" || type == "unix") return {};
    return fmt::format("its {} is of type '{}'", device.name, type);
}

std::string device_problem(const model::Element& device) {
    const auto& name = device.name;
    if (name == "graphics") return display_problem(device);
    if (name == "serial" || name == "console" || name == "channel") return character_problem(device);
    if (name == "tpm") return "it has a TPM";
    if (name == "interface" && device.attribute("type") != "user") return "it has a network of the host's";
    return {};
}

/// UEFI's, a file that the firmware writes.
bool has_variables(const model::Element& os) {
    const auto* loader = os.child("loader");
    return os.child("nvram") || os.find_attribute("firmware") || (loader && loader->attribute("type") == "pflash");
}

} // namespace

std::string beside_problem(const model::Domain& domain) {
    for (const auto* element : domain.document.elements())
        if (element->name.ends_with(":commandline")) return "it has options of QEMU's own";
    if (const auto* os = domain.document.child("os"); os && has_variables(*os))
        return "it has UEFI's variables";
    if (const auto* backing = domain.document.child("memoryBacking"); backing && backing->child("allocation"))
        return "its memory is allocated at once";
    const auto* devices = domain.document.child("devices");
    if (!devices) return {};
    for (const auto* device : devices->elements())
        if (auto problem = device_problem(*device); !problem.empty()) return problem;
    return {};
}

} // namespace domsnap::machine
