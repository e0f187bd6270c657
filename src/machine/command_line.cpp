#include "machine/command_line.h"

#include "base/text.h"
#include "machine/build.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

constexpr const char* host_state = "its state is outside of QEMU, where no snapshot would hold it";

/// Elements of <domain> that are read somewhere, or that ask nothing of QEMU.
void check_document(const Build& build) {
    const auto prefix = qemu_prefix(build.document());
    const auto own = [&](const char* name) {
        return prefix.empty() ? std::string("qemu:") + name : prefix + name;
    };
    const auto commandline = own("commandline"), deprecation = own("deprecation");
    for (const auto* child : build.document().elements())
        if (child->name == "seclabel" && child->attribute("type") == "static")
            refuse_attribute(*child, "type", "QEMU runs with the rights of who starts it");
    only_children(build.document(), {"name",          "uuid",     "genid",          "title",
                                     "description",   "metadata", "memory",         "currentMemory",
                                     "memoryBacking", "vcpu",     "iothreads",      "os",
                                     "features",      "cpu",      "clock",          "on_poweroff",
                                     "on_reboot",     "on_crash", "on_lockfailure", "pm",
                                     "devices",       "seclabel", "resource",       "sysinfo",
                                     "perf",          "keywrap",  commandline,      deprecation});
    if (prefix.empty() && build.document().child(commandline))
        refuse(*build.document().child(commandline), "the namespace of 'qemu:' is not declared",
               "add xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' to <domain>");
    if (const auto* sysinfo = build.document().child("sysinfo"))
        word_of(*sysinfo, "type", "smbios",
                {"smbios"}); // acts with <smbios mode='sysinfo'> only, which is refused
}

void check_devices(const model::Element& devices) {
    for (const auto* outside :
         {"hostdev", "filesystem", "vsock", "shmem", "redirdev", "smartcard", "nvram", "memory"})
        if (const auto* device = devices.child(outside)) refuse(*device, host_state);
    only_children(devices, {"emulator", "disk", "controller", "interface", "serial", "console", "channel",
                            "graphics", "video", "input", "hub", "sound", "audio", "memballoon", "rng",
                            "watchdog", "panic", "tpm"});
}

void add_identity(Build& build) {
    build.arguments.option("-name",
                           fmt::format("guest={},debug-threads=on", escape_commas(build.domain.name)));
    if (!build.domain.uuid.empty()) build.arguments.option("-uuid", build.domain.uuid);
    build.arguments.flag("-S");
    build.arguments.flag("-nodefaults");
    build.arguments.flag("-no-user-config");
    build.arguments.option("-sandbox",
                           "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    build.arguments.option("-msg", "timestamp=on");
}

void add_monitor(Build& build, const std::string& id, const std::string& chardev) {
    build.arguments.option("-chardev", chardev);
    build.arguments.option("-mon", fmt::format("chardev=char{0},id={0},mode=control", id));
}

void add_monitors(Build& build) {
    const auto& facts = build.facts;
    if (facts.trial)
        return add_monitor(build, "monitor", fmt::format("socket,id=charmonitor,fd={}", facts.monitor_fd));
    const auto listening = [](const char* id, int fd) {
        return fmt::format("socket,id=char{},fd={},server=on,wait=off", id, fd);
    };
    add_monitor(build, "monitor", listening("monitor", facts.monitor_fd));
    add_monitor(build, "watch", listening("watch", facts.watch_fd));
    if (facts.guard_fd >= 0) add_monitor(build, "guard", listening("guard", facts.guard_fd));
    // A 'pipe' chardev reads PATH.in and writes PATH.out, and both may be plain files: QEMU answers what is
    // in the one and then writes its events to the other. ('file' with input-path= would say it better;
    // QEMU 7.2 lacks it.)
    if (!facts.events.empty())
        add_monitor(build, "events", "pipe,id=charevents,path=" + escape_commas(facts.events));
}

void add_devices(Build& build) {
    if (const auto* devices = build.document().child("devices")) check_devices(*devices);
    add_pci_controllers(build);
    add_other_controllers(build);
    add_disks(build);
    add_interfaces(build);
    add_character_devices(build);
    add_graphics(build);
    add_videos(build);
    add_inputs(build);
    add_sound(build);
    add_misc_devices(build);
    add_tpm(build);
}

} // namespace

std::vector<const model::Element*> Build::devices(std::string_view name) const {
    const auto* devices = document().child("devices");
    return devices ? devices->elements(name) : std::vector<const model::Element*>{};
}

std::string id_of(const model::Element& device, const std::string& fallback) {
    const auto* alias = device.child("alias");
    if (!alias || !alias->attribute("name").starts_with("ua-")) return fallback;
    const auto name = alias->attribute("name");
    const auto is_plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    };
    if (!std::all_of(name.begin(), name.end(), is_plain))
        refuse_attribute(*alias, "name", "letters, digits, '-', '_' and '.' are what QEMU takes");
    return name;
}

std::vector<std::string> command_line(const model::Domain& domain, const CommandLineFacts& facts) {
    Build build(domain, facts);
    build.q35 = is_q35(domain);
    build.kvm = domain.type == "kvm";
    check_document(build);
    add_identity(build);
    add_monitors(build);
    add_machine(build);
    add_cpu(build);
    add_memory(build);
    add_clock(build);
    add_lifecycle(build);
    add_boot(build);
    add_devices(build);
    if (facts.incoming) build.arguments.option("-incoming", "defer");
    add_passthrough(build);
    return build.arguments.finish(facts.emulator);
}

std::string printable_command_line(const std::vector<std::string>& argv) {
    std::string out;
    for (size_t i = 0; i < argv.size(); ++i) {
        // An option's value stands behind it; no value of ours begins with '-'.
        const bool is_value = i > 0 && !argv[i].starts_with('-') && argv[i - 1].starts_with('-');
        if (i > 0) out += is_value ? " " : "\n";
        out += text::printable(argv[i]);
    }
    return out + "\n";
}

} // namespace domsnap::machine
