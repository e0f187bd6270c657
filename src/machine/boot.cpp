// <os>: direct kernel boot, and the order in which devices are tried.
#include "machine/build.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

void add_kernel(Build& build, const model::Element& os) {
    for (const auto& [element, option] :
         {std::pair{"kernel", "-kernel"}, {"initrd", "-initrd"}, {"cmdline", "-append"}})
        if (const auto text = os.text_at(element); !text.empty()) build.arguments.option(option, text);
    for (const auto* element : {"initrd", "cmdline"})
        if (os.child(element) && os.text_at("kernel").empty())
            refuse(*os.child(element), "there is no <kernel>");
}

/// libvirt's classes: of each, the first device of the document.
const model::Element* first_of_class(const Build& build, const std::string& boot_class) {
    if (boot_class == "network") {
        const auto interfaces = build.devices("interface");
        return interfaces.empty() ? nullptr : interfaces.front();
    }
    const std::string device = boot_class == "hd" ? "disk" : boot_class == "fd" ? "floppy" : "cdrom";
    for (const auto* disk : build.devices("disk")) {
        const auto* target = disk->child("target");
        const bool usb = target && target->attribute("bus") == "usb"; // not what 'hd' means, says libvirt
        if (disk->attribute("device", "disk") == device && !(usb && device == "disk")) return disk;
    }
    return nullptr;
}

void order_by_class(Build& build, const std::vector<const model::Element*>& boots) {
    std::vector<std::string> classes;
    for (const auto* boot : boots)
        classes.push_back(word_of(*boot, "dev", "hd", {"hd", "cdrom", "network", "fd"}));
    if (classes.empty()) classes.emplace_back("hd");
    unsigned order = 1;
    for (const auto& boot_class : classes)
        if (const auto* device = first_of_class(build, boot_class);
            device && build.boot.emplace(device, order).second)
            ++order;
}

void order_by_device(Build& build) {
    for (const auto* kind : {"disk", "interface"})
        for (const auto* device : build.devices(kind)) {
            const auto* boot = device->child("boot");
            if (!boot) continue;
            only_attributes(*boot, {"order"});
            const auto order = number_of(*boot, "order").value_or(0);
            if (order == 0 || order > 10'000) refuse_attribute(*boot, "order", "it must be 1 or more");
            for (const auto& [other, taken] : build.boot)
                if (taken == order) refuse_attribute(*boot, "order", "another device has it");
            build.boot[device] = static_cast<unsigned>(order);
        }
}

void add_boot_order(Build& build, const model::Element& os) {
    order_by_device(build);
    const auto classes = os.elements("boot");
    if (!build.boot.empty() && !classes.empty())
        refuse(*classes.front(), "a device has its own <boot order=>, and both cannot be");
    if (build.boot.empty()) order_by_class(build, classes);
}

std::string boot_options(const model::Element& os) {
    std::string options = "strict=on";
    if (const auto* menu = os.child("bootmenu")) {
        only_attributes(*menu, {"enable", "timeout"});
        if (const auto enable = switch_of(*menu, "enable"))
            options += fmt::format(",menu={}", on_off(*enable));
        if (const auto timeout = number_of(*menu, "timeout"))
            options += fmt::format(",splash-time={}", *timeout);
    }
    if (const auto* bios = os.child("bios")) {
        only_attributes(*bios, {"useserial", "rebootTimeout"});
        if (switch_of(*bios, "useserial").value_or(false)) refuse_attribute(*bios, "useserial");
        const auto timeout = bios->attribute("rebootTimeout");
        if (!timeout.empty() && timeout.find_first_not_of("-0123456789") != std::string::npos)
            refuse_attribute(*bios, "rebootTimeout", "not a number");
        if (!timeout.empty()) options += ",reboot-timeout=" + timeout;
    }
    return options;
}

} // namespace

void add_boot(Build& build) {
    const auto* os = build.document().child("os"); // there: add_machine refused a document without
    only_children(*os, {"type", "loader", "nvram", "kernel", "initrd", "cmdline", "boot", "bootmenu", "bios",
                        "smbios", "firmware"});
    only_attributes(*os, {"firmware"});
    if (const auto* smbios = os->child("smbios")) word_of(*smbios, "mode", "emulate", {"emulate"});
    add_firmware(build, *os);
    build.arguments.option("-boot", boot_options(*os));
    add_kernel(build, *os);
    add_boot_order(build, *os);
}

} // namespace domsnap::machine
