#include "engine/domain_state.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/guest.h"
#include "engine/observe.h"
#include "engine/pages.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

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

/// False if it does not answer.
bool look_at_qemu(DomainInfo& info, const View& view, const os::ProcessId& process) {
    info.pid = process.pid;
    info.id = static_cast<int64_t>(text::to_u64(view.live().document.attribute("id")).value_or(0));
    try {
        auto watch = qmp::Client::connect(view.files().watch(), for_a_look());
        const auto status = qmp::query_status(watch, for_a_look());
        info.state = state_of(observed_state(status), status.status);
        info.reason = info.state == DomainState::in_error ? "I/O error" : noted_reason(view.files());
        if (info.state == DomainState::paused && info.reason == "booted") info.reason = "starting up";
        look_at_pages(info, view);
        return true;
    } catch (const Error& error) {
        // It is there but does not answer: libvirt shows such a domain as running, too.
        info.state = DomainState::running;
        info.reason = "unknown";
        return false;
    }
}

std::string reason_for_off(const View& view) {
    // live.xml is removed when domsnap ends QEMU: where it is left, QEMU ended by itself, and its events say
    // why.
    if (os::exists(view.files().live())) return machine::exit_reason(view.files());
    const auto noted = noted_reason(view.files());
    return noted.empty() ? "unknown" : noted;
}

} // namespace

DomainLook look_at(const View& view) {
    DomainLook look;
    DomainInfo& info = look.info;
    look.process = view.process();
    const auto domain = look.process ? view.live() : view.definition();
    info.name = view.name();
    info.uuid = domain.uuid;
    info.type = domain.type;
    info.vcpus = domain.vcpus;
    info.max_memory = info.used_memory = domain.memory;
    info.machine = domain.machine;
    if (look.process)
        look.answered = look_at_qemu(info, view, *look.process);
    else
        info.reason = reason_for_off(view);
    return look;
}

std::vector<DomainInfo> look_at_all(const Folders& folders) {
    std::vector<DomainInfo> all;
    for (const auto& name : store::domain_names(folders.state)) {
        try {
            all.push_back(look_at(View(folders, name)).info);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw; // undefined while we read
        }
    }
    return all;
}

} // namespace domsnap::engine
