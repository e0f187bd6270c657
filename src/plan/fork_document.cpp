#include "plan/fork_document.h"

#include "base/error.h"
#include "model/firmware.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Element;

namespace {

[[noreturn]] void refuse(const Element& device, const std::string& why) {
    throw Error(ErrorCode::unsupported,
                fmt::format("a fork cannot have the <{}> of line {}: {}", device.name, device.line, why),
                "take that device out of the domain, and a snapshot without it");
}

bool is_character_device(const std::string& name) {
    return name == "serial" || name == "console" || name == "channel" || name == "parallel";
}

/// A path of the domain's own that only one QEMU can listen on; without it QEMU listens in the run-time
/// folder.
bool drop(Element* element, const char* attribute) {
    if (!element || !element->find_attribute(attribute)) return false;
    element->remove_attribute(attribute);
    return true;
}

} // namespace

void ForkDocument::remark(std::string line) {
    if (std::find(remarks_.begin(), remarks_.end(), line) == remarks_.end())
        remarks_.push_back(std::move(line));
}

/// The host's network would see one address twice. (The guest itself keeps the old one until it is reset: it
/// is part of the card's saved state.)
void ForkDocument::rewrite_interface(Element& interface, size_t number) {
    auto* mac = interface.child("mac");
    const auto old = mac ? mac->attribute("address") : fmt::format("#{}", number);
    if (!macs_.contains(old)) macs_[old] = identity_.macs.at(macs_.size());
    if (!mac) {
        const auto children = interface.elements();
        mac = &interface.insert_before(children.empty() ? "" : children.front()->name, Element("mac"), 2);
    }
    mac->set_attribute("address", macs_[old]);
}

void ForkDocument::rewrite_display(Element& graphics) {
    const bool fixed = graphics.attribute("port", "-1") != "-1" && graphics.attribute("autoport") != "yes";
    if (fixed) {
        remark(fmt::format("port {} of the display is the origin's: the fork takes a free one",
                           graphics.attribute("port")));
        graphics.set_attribute("port", "-1");
        graphics.set_attribute("autoport", "yes");
    }
    auto* listen = graphics.child("listen");
    bool dropped = drop(listen, "socket");
    if (drop(&graphics, "socket")) {
        dropped = true;
        if (!listen) listen = &graphics.append(Element("listen"), 2);
        listen->set_attribute("type", "socket");
    }
    if (dropped) remark("the display's socket is the origin's: the fork's is in its run-time folder");
}

void ForkDocument::rewrite_character_device(Element& device) {
    const auto type = device.attribute("type", "pty");
    auto* source = device.child("source");
    if (device.child("log")) refuse(device, "its log would be written by two");
    if (type == "pty" || type == "null") return;
    if (type != "unix") refuse(device, fmt::format("its type is '{}', and two would write there", type));
    if (source && source->attribute("mode") == "connect")
        refuse(device, "it is a client's socket, and its server would see two");
    if (drop(source, "path"))
        remark(fmt::format("the socket of its <{}> is the origin's: the fork's is in its run-time folder",
                           device.name));
}

void ForkDocument::rewrite_devices(Element& devices) {
    size_t interfaces = 0;
    for (auto& node : devices.children) {
        if (node.kind != model::Node::Kind::element) continue;
        auto& device = node.element.front();
        if (device.name == "interface") rewrite_interface(device, interfaces++);
        if (device.name == "graphics") rewrite_display(device);
        if (is_character_device(device.name)) rewrite_character_device(device);
    }
}

void ForkDocument::rewrite(model::Domain& domain) {
    model::set_name(domain, identity_.name);
    model::set_uuid(domain, identity_.uuid);
    domain.document.remove_attribute("id");
    // By it a guest learns that it is not alone.
    if (auto* genid = domain.document.child("genid")) genid->set_text(identity_.genid);
    if (auto nvram = model::nvram_of(domain)) {
        nvram->file = identity_.firmware_folder + "/VARS.fd";
        model::set_nvram(domain, *nvram);
        if (auto* source = domain.document.at("os/nvram/source")) source->set_attribute("file", nvram->file);
    }
    for (const auto* element : domain.document.elements())
        if (element->name.ends_with(":commandline"))
            remark("options of QEMU's own (<qemu:commandline>) are the same in origin and fork");
    if (auto* devices = domain.document.child("devices")) rewrite_devices(*devices);
}

} // namespace domsnap::plan
