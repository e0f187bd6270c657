// Host: what can be seen of a domain without changing it.
#include "base/error.h"
#include "base/text.h"
#include "engine/guest.h"
#include "engine/observe.h"
#include "engine/pages.h"
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

double cpu_seconds(const os::ProcessId& process) {
    try {
        const auto stat = os::read_file_start(fmt::format("/proc/{}/stat", process.pid), 4096);
        const auto fields =
            text::split(stat.substr(stat.rfind(')') + 2), ' '); // the name before may hold blanks
        const auto ticks =
            text::to_u64(fields.at(11)).value_or(0) + text::to_u64(fields.at(12)).value_or(0); // utime, stime
        return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
    } catch (const std::exception&) {
        return 0;
    }
}

DomainState state_of(model::SnapshotState state, const std::string& status) {
    if (status == "io-error") return DomainState::in_error;
    switch (state) {
    case model::SnapshotState::running:
        return DomainState::running;
    case model::SnapshotState::crashed:
        return DomainState::crashed;
    default:
        return DomainState::paused;
    }
}

/// A guest that waits for a page that is damaged stands still, whatever QEMU calls that.
void look_at_pages(DomainInfo& info, const View& view) {
    const auto pages = page_status(view);
    if (!pages || pages->state != memory::PageStatus::State::damaged) return;
    info.state = DomainState::paused;
    info.reason = "memory image damaged";
}

void look_at_qemu(DomainInfo& info, const View& view, const os::ProcessId& process) {
    info.pid = process.pid;
    info.id = static_cast<int64_t>(text::to_u64(view.live().document.attribute("id")).value_or(0));
    info.cpu_seconds = cpu_seconds(process);
    try {
        auto watch = qmp::Client::connect(view.files().watch(), for_a_look());
        const auto status = qmp::query_status(watch, for_a_look());
        info.state = state_of(observed_state(status), status.status);
        info.reason = info.state == DomainState::in_error ? "I/O error" : noted_reason(view.files());
        if (info.state == DomainState::paused && info.reason == "booted") info.reason = "starting up";
        look_at_pages(info, view);
    } catch (const Error& error) {
        // It is there but does not answer: libvirt shows such a domain as running, too.
        info.state = DomainState::running;
        info.reason = "unknown";
    }
}

std::string reason_for_off(const View& view) {
    // live.xml is removed when domsnap ends QEMU: where it is left, QEMU ended by itself, and its events say
    // why.
    if (os::exists(view.files().live())) return machine::exit_reason(view.files());
    const auto noted = noted_reason(view.files());
    return noted.empty() ? "unknown" : noted;
}

DomainInfo look_at(const View& view) {
    DomainInfo info;
    const auto process = view.process();
    const auto domain = process ? view.live() : view.definition();
    info.name = view.name();
    info.uuid = domain.uuid;
    info.type = domain.type;
    info.vcpus = domain.vcpus;
    info.max_memory = info.used_memory = domain.memory;
    info.machine = domain.machine;
    if (process)
        look_at_qemu(info, view, *process);
    else
        info.reason = reason_for_off(view);
    return info;
}

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

std::vector<DomainInfo> Host::list(bool inactive_too) const {
    std::vector<DomainInfo> all;
    for (const auto& name : store::domain_names(folders_.state)) {
        try {
            auto info = look_at(View(folders_, name));
            if (info.active() || inactive_too) all.push_back(std::move(info));
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw; // undefined while we read
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        if (a.active() != b.active()) return a.active();
        return a.active() ? a.id < b.id : text::name_less(a.name, b.name);
    });
    return all;
}

DomainInfo Host::info(const std::string& name) const { return look_at(view_of(folders_, name)); }

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
