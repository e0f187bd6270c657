#include "machine/networks.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/command_line.h"
#include "machine/elements.h"
#include "os/file.h"
#include "os/tap.h"

#include <fmt/format.h>
#include <unistd.h>

namespace domsnap::machine {

namespace {

constexpr const char* user_network = "user";
constexpr const char* bridge_of_libvirt = "virbr0"; // that of its network 'default', as it is installed

/// By name; "" = QEMU's own.
using Networks = std::map<std::string, std::string>;

/// "NAME BRIDGE" or "NAME user"; a name may have blanks in it, a bridge cannot.
void add_line(Networks& networks, std::string_view line, const std::string& where) {
    line = text::trim(line);
    if (line.empty() || line.front() == '#') return;
    const auto blank = line.find_last_of(" \t");
    if (blank == std::string_view::npos)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("{}: '{}' is not NAME BRIDGE or NAME user", where, text::printable(line)));
    const auto bridge = line.substr(blank + 1);
    networks[std::string(text::trim(line.substr(0, blank)))] =
        bridge == user_network ? "" : std::string(bridge);
}

Networks read(const std::string& file) {
    Networks networks;
    networks["default"] =
        geteuid() == 0 && os::has_network_device(bridge_of_libvirt) ? bridge_of_libvirt : "";
    const auto lines = text::split(os::read_own_file(file, 1 << 20).value_or(""), '\n');
    for (size_t i = 0; i < lines.size(); ++i)
        add_line(networks, lines[i], fmt::format("{}, line {}", file, i + 1));
    return networks;
}

void resolve(model::Element& interface, const std::string& file, Purpose purpose) {
    auto* source = interface.child("source");
    const auto name = source ? source->attribute("network") : "";
    if (name.empty()) refuse_attribute(interface, "type", "it does not say which: <source network='NAME'/>");
    const auto networks = read(file);
    const auto network = networks.find(name);
    if (network == networks.end())
        refuse_attribute(*source, "network", "it is not known here what that network is",
                         fmt::format("say it in {}: '{} BRIDGE', or '{} user' for QEMU's own network", file,
                                     text::printable(name), text::printable(name)));
    if (!network->second.empty()) return source->set_attribute("bridge", network->second);
    if (purpose == Purpose::memory)
        refuse_attribute(
            *source, "network",
            "the guest's memory was saved on a bridge, and QEMU's own network has no such device",
            fmt::format("say in {} which bridge it is: '{} BRIDGE'", file, text::printable(name)));
    interface.set_attribute("type", "user");
    interface.remove("source");
}

} // namespace

model::Domain with_networks(model::Domain domain, const std::string& file, Purpose purpose) {
    if (auto* devices = domain.document.child("devices"))
        for (auto* interface : devices->elements("interface"))
            if (interface->attribute("type") == "network") resolve(*interface, file, purpose);
    return domain;
}

std::vector<os::Fd> plug_in(const model::Domain& domain) {
    std::vector<os::Fd> devices;
    try {
        for (const auto& bridge : bridges_of(domain))
            devices.push_back(os::open_tap(bridge));
    } catch (const Error& error) {
        throw Error(
            error.code(), error.what(),
            fmt::format("{}{}QEMU's own network needs nothing: <interface type='user'/>, or a line 'NAME "
                        "user' in the state folder's file 'networks'",
                        error.hint(), error.hint().empty() ? "" : "; "));
    }
    return devices;
}

} // namespace domsnap::machine
