// <on_poweroff>, <on_reboot>, <on_crash>, <pm>: what QEMU does when the guest ends by itself.
#include "machine/build.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

/// The element's word, "" if there is none; refuses words that are not known.
std::string word(const Build& build, std::string_view name, std::initializer_list<std::string_view> words,
                 const std::string& why) {
    const auto* element = build.document().child(name);
    if (!element) return {};
    const auto value = element->text();
    for (const auto known : words)
        if (value == known) return value;
    refuse(*element, fmt::format("'{}' {}", value, why));
}

void add_power_management(Build& build) {
    const auto* pm = build.document().child("pm");
    if (!pm) return;
    only_children(*pm, {"suspend-to-mem", "suspend-to-disk"});
    const std::string chip = build.q35 ? "ICH9-LPC" : "PIIX4_PM";
    for (const auto& [element, state] : {std::pair{"suspend-to-mem", "s3"}, {"suspend-to-disk", "s4"}}) {
        const auto* child = pm->child(element);
        const auto enabled = child ? switch_of(*child, "enabled") : std::nullopt;
        if (enabled)
            build.arguments.option("-global", fmt::format("{}.disable_{}={}", chip, state, *enabled ? 0 : 1));
    }
}

} // namespace

void add_lifecycle(Build& build) {
    const std::string needs_a_watcher = "needs a process that waits for it, and domsnap leaves none behind";
    if (word(build, "on_poweroff", {"destroy", "preserve"}, needs_a_watcher) == "preserve")
        build.arguments.option("-action", "shutdown=pause");
    if (word(build, "on_reboot", {"restart", "destroy"}, needs_a_watcher) == "destroy")
        build.arguments.flag("-no-reboot");
    // Without a panic device nobody learns of the crash, so what is to follow does not matter.
    if (!build.devices("panic").empty() &&
        word(build, "on_crash", {"destroy", "preserve"}, needs_a_watcher) == "preserve")
        build.arguments.option("-action", "panic=pause");
    add_power_management(build);
}

} // namespace domsnap::machine
