// Host: what can be seen of a domain without changing it.
#include "base/error.h"
#include "base/text.h"
#include "engine/domain_state.h"
#include "engine/guest.h"
#include "engine/kept_states.h"
#include "engine/observe.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <domsnap/host.h>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap {

using namespace engine;

namespace {

std::vector<std::string> chain_files(const model::Disk& disk) {
    std::vector<std::string> files;
    try {
        if (!disk.empty())
            for (const auto& one : image::chain(disk.source, disk.format))
                files.push_back(one.path);
    } catch (const Error&) {
        files = {disk.source}; // what is said is shown, also when the file is gone
    }
    return files;
}

/// Reading goes through the second monitor, so that it works while a snapshot holds the first.
qmp::Client watch_monitor(const View& view) {
    if (!view.process())
        throw Error(ErrorCode::conflict,
                    fmt::format("Requested operation is not valid: domain '{}' is not running", view.name()),
                    fmt::format("domsnap start {}", view.name()));
    return qmp::Client::connect(view.files().watch(), for_a_look());
}

Host::ConsolePath console_path(const std::string& filename) {
    std::string_view rest = filename;
    if (rest.starts_with("pty:")) return {false, std::string(rest.substr(4))};
    if (const auto unix_at = rest.find("unix:"); unix_at != rest.npos) {
        rest.remove_prefix(unix_at + 5);
        return {true, std::string(rest.substr(0, rest.find(",server")))};
    }
    throw Error(ErrorCode::unsupported,
                fmt::format("the console is '{}': neither a pty nor a unix socket", filename));
}

} // namespace

const char* to_string(DomainState state) {
    switch (state) {
    case DomainState::running:
        return "running";
    case DomainState::paused:
    case DomainState::in_error:
        return "paused";
    case DomainState::shutoff:
        return "shut off";
    case DomainState::crashed:
        return "crashed";
    }
    return "no state";
}

void Host::keep_states() { kept_ = std::make_shared<KeptStates>(folders_); }

std::vector<DomainInfo> Host::list(bool inactive_too) const {
    auto all = kept_ ? kept_->list() : look_at_all(folders_);
    if (!inactive_too) std::erase_if(all, [](const auto& info) { return !info.active(); });
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        if (a.active() != b.active()) return a.active();
        return a.active() ? a.id < b.id : text::name_less(a.name, b.name);
    });
    return all;
}

DomainInfo Host::info(const std::string& name) const {
    return kept_ ? kept_->info(name) : look_at(view_of(folders_, name)).info;
}

double Host::cpu_seconds(const DomainInfo& info) const {
    if (!info.active()) return 0;
    try {
        const auto stat = os::read_file_start(fmt::format("/proc/{}/stat", info.pid), 4096);
        const auto fields =
            text::split(stat.substr(stat.rfind(')') + 2), ' '); // the name before may hold blanks
        const auto ticks =
            text::to_u64(fields.at(11)).value_or(0) + text::to_u64(fields.at(12)).value_or(0); // utime, stime
        return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
    } catch (const std::exception&) {
        return 0;
    }
}

std::string Host::xml(const std::string& name, bool inactive, bool security_info) const {
    const View view = view_of(folders_, name);
    model::Domain domain = inactive ? view.definition() : view.live();
    if (!inactive && view.process()) {
        for (const auto& [target, chain] : chains_of(domain))
            show_chain(domain, target, chain);
    }
    return model::to_text(security_info ? domain.document : model::without_secrets(domain.document)) + "\n";
}

std::vector<DiskInfo> Host::disks(const std::string& name, bool inactive) const {
    const View view = view_of(folders_, name);
    const auto domain = inactive ? view.definition() : view.live();
    std::vector<DiskInfo> disks;
    for (const auto& disk : domain.disks)
        disks.push_back({disk.target, disk.type, model::to_string(disk.device), disk.source, disk.format,
                         disk.bus, chain_files(disk)});
    return disks;
}

Host::ConsolePath Host::console(const std::string& name, const std::string& device) const {
    const View view = view_of(folders_, name);
    auto qemu = watch_monitor(view);
    const auto chardevs = qmp::query_chardev(qemu, for_a_look());
    for (const auto& wanted : {device.empty() ? std::string("charserial0") : "char" + device,
                               std::string(device.empty() ? "charconsole0" : device)})
        for (const auto& chardev : chardevs)
            if (chardev.label == wanted) return console_path(chardev.filename);
    throw Error(ErrorCode::not_found,
                device.empty()
                    ? fmt::format("domain '{}' has no serial device or console", view.name())
                    : fmt::format("domain '{}' has no character device '{}'", view.name(), device));
}

std::string Host::monitor_command(const std::string& name, const std::string& command, bool human) const {
    const View view = view_of(folders_, name);
    auto qemu = watch_monitor(view);
    return human ? qmp::human_command(qemu, command, quick()) : qmp::raw_command(qemu, command, quick());
}

std::string Host::screenshot(const std::string& name, const std::string& file) const {
    const View view = view_of(folders_, name);
    auto qemu = watch_monitor(view);
    const auto png = file.ends_with(".png");
    qmp::screendump(qemu, os::absolute_path(file), png, quick());
    return png ? "image/png" : "image/x-portable-pixmap";
}

void Host::send_key(const std::string& name, const std::vector<std::string>& keys, int hold_ms) const {
    const View view = view_of(folders_, name);
    auto qemu = watch_monitor(view);
    qmp::send_key(qemu, keys, hold_ms, quick());
}

std::optional<VncAddress> Host::display(const std::string& name) const {
    const View view = view_of(folders_, name);
    auto qemu = watch_monitor(view);
    const auto vnc = qmp::query_vnc(qemu, for_a_look());
    if (!vnc.enabled) return std::nullopt;
    if (vnc.family == "unix") return VncAddress{{}, 0, vnc.service};
    return VncAddress{vnc.host, static_cast<int>(text::to_u64(vnc.service).value_or(0)), {}};
}

} // namespace domsnap
