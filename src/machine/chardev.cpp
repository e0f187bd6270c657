#include "machine/chardev.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

const model::Element& source_of(const model::Element& device) {
    static const model::Element none("source");
    const auto* source = device.child("source");
    return source ? *source : none;
}

/// "org.qemu.guest_agent.0", "serial0": what a socket without a path is called by.
std::string own_name(const model::Element& device) {
    const auto* target = device.child("target");
    const auto name = target ? target->attribute("name") : std::string{};
    return name.empty() ? device.name + (target ? target->attribute("port", "0") : "0") : name;
}

std::string required(const model::Element& source, std::string_view attribute, const model::Element& device) {
    const auto value = source.attribute(attribute);
    if (value.empty()) refuse(device, fmt::format("it has no <source {}=>", attribute));
    return value;
}

std::string unix_socket(const Build& build, const model::Element& device, const model::Element& source) {
    if (const auto path = socket_of(device, build.facts.runtime_folder)) {
        const auto fd = build.facts.channel_fds.find(*path);
        if (fd != build.facts.channel_fds.end()) return fmt::format("fd={},server=on,wait=off", fd->second);
        return fmt::format("path={},server=on,wait=off", escape_commas(*path));
    }
    return "path=" + escape_commas(required(source, "path", device));
}

/// Where the device's output is also written.
std::string log_of(const model::Element& device) {
    const auto* log = device.child("log");
    if (!log) return {};
    only_attributes(*log, {"file", "append"});
    const auto append = switch_of(*log, "append").value_or(false);
    return fmt::format(",logfile={},logappend={}", escape_commas(required(*log, "file", device)),
                       on_off(append));
}

std::string backend(const Build& build, const model::Element& device, const std::string& id) {
    const auto type = word_of(device, "type", "pty", {"pty", "null", "file", "unix"});
    const auto& source = source_of(device);
    only_children(source, {"seclabel"});
    only_attributes(source, {"path", "mode", "append"});
    if (build.facts.trial || type == "null") return "null,id=" + id;
    if (type == "pty") return "pty,id=" + id;
    if (type == "unix") return fmt::format("socket,id={},{}", id, unix_socket(build, device, source));
    const auto append = switch_of(source, "append").value_or(false);
    return fmt::format("file,id={},path={},append={}", id, escape_commas(required(source, "path", device)),
                       on_off(append));
}

} // namespace

std::optional<std::string> socket_of(const model::Element& device, const std::string& runtime_folder) {
    if (device.attribute("type") != "unix") return std::nullopt;
    const auto& source = source_of(device);
    if (word_of(source, "mode", "bind", {"bind", "connect"}) == "connect") return std::nullopt;
    if (const auto path = source.attribute("path"); !path.empty()) return path;
    return runtime_folder + "/" + text::percent_encode(own_name(device)) + ".sock";
}

void add_chardev(Build& build, const model::Element& device, const std::string& id) {
    build.arguments.option("-chardev",
                           backend(build, device, id) + (build.facts.trial ? "" : log_of(device)));
}

} // namespace domsnap::machine
