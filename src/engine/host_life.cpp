// Host: a domain's life, from its start to its end.
#include "base/error.h"
#include "engine/firmware.h"
#include "engine/forks.h"
#include "engine/freeze.h"
#include "engine/guest.h"
#include "engine/observe.h"
#include "engine/pages.h"
#include "engine/runner.h"
#include "plan/document.h"
#include "plan/fork.h"
#include "plan/points.h"
#include "plan/start.h"
#include "qmp/commands.h"

#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

using namespace engine;

namespace {

/// Starting on a file that a snapshot froze would write into it, and the snapshot be lost. libvirt does it.
void refuse_frozen_disks(const View& view) {
    const auto snapshots = view.snapshot_heads();
    for (const auto& disk : view.definition().disks) {
        if (disk.empty() || disk.defaults_to_no()) continue;
        for (const auto& snapshot : snapshots.all())
            for (const auto& frozen : snapshot.disks)
                if (frozen.point && frozen.point->tag.empty() && frozen.point->file == disk.source)
                    throw Error(ErrorCode::conflict,
                                fmt::format("disk '{}' of domain '{}' is {}, which snapshot '{}' froze: a "
                                            "guest that writes there would destroy it",
                                            disk.target, view.name(), disk.source, snapshot.name),
                                fmt::format("domsnap snapshot-revert {} {} puts a fresh overlay over it",
                                            view.name(), snapshot.name));
    }
}

plan::Plan start_plan(const Session& session, const model::Domain& domain, bool paused) {
    plan::Plan plan;
    plan.operation = "start";
    plan.domain = plan.snapshot = session.name();
    plan.uuid = domain.uuid;
    const auto text = plan::document_text(domain), old = plan::document_text(session.definition());
    plan.steps = {plan::StartGuest{
        plan::StartGuest::From::boot, text, {}, {}, {}, {}, paused, paused ? "user" : "booted"}};
    // Only now: a start that was refused changes nothing.
    if (text != old) plan.steps.push_back(plan::PutDefinition{text, old});
    return plan;
}

plan::Plan boot(const Session& session, const std::optional<model::Fork>& fork,
                const Host::StartOptions& options) {
    const auto domain = runnable(session.folders(), session.definition());
    if (options.reset_nvram) reset_nvram(session, domain);
    auto plan = start_plan(session, domain, options.paused);
    // Its disks will not be of that memory's time any more.
    if (fork && fork->memory)
        plan.steps.push_back(plan::PutFork{plan::started_text(*fork), *session.folder().fork()});
    plan::plan_resume(plan, std::get<plan::StartGuest>(plan.steps.front()));
    if (fork && fork->memory) plan::remove_used_memory(plan, *fork);
    return plan;
}

plan::Plan first_start(const Session& session, const model::Fork& fork, const Host::StartOptions& options) {
    if (options.reset_nvram)
        throw Error(
            ErrorCode::invalid_request,
            fmt::format(
                "--reset-nvram: '{}' goes on from memory that was saved, and the NVRAM is a part of it",
                session.name()),
            "start it without, or boot it: --force-boot --reset-nvram");
    require_waiting_state(session, fork);
    return plan::plan_first_start(fork, session.definition(), options.paused);
}

} // namespace

void Host::start(const std::string& name, const StartOptions& options, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "start", control);
    if (session.process())
        throw Error(
            ErrorCode::conflict,
            fmt::format("Requested operation is not valid: domain '{}' is already active", session.name()));
    refuse_frozen_disks(session);
    observe_for_start(session);
    const auto fork = fork_of(session.folder());
    run_plan(*real_world(session),
             fork && fork->memory && !options.force_boot ? first_start(session, *fork, options)
                                                         : boot(session, fork, options),
             session.folder().journal(), control);
}

void Host::destroy(const std::string& name, bool graceful, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "destroy", control);
    session.running_process(); // not its monitor: one that hangs must be ended too
    (void)graceful; // QMP quit lets QEMU flush its images; only a QEMU that does not answer is killed
    end_qemu(session, "destroyed");
}

void Host::shutdown(const std::string& name, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "shutdown", control);
    qmp::system_powerdown(session.monitor(), quick());
}

void Host::reset(const std::string& name, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "reset", control);
    qmp::system_reset(session.monitor(), quick());
}

void Host::reboot(const std::string& name, const Control& control) {
    // Without an agent in the guest there is no request to reboot: Ctrl-Alt-Delete is what a PC's guest
    // understands.
    Session session(folders_, resolve_name(folders_, name), "reboot", control);
    qmp::send_key(session.monitor(), {"ctrl", "alt", "delete"}, 100, quick());
}

void Host::suspend(const std::string& name, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "suspend", control);
    if (!qmp::query_status(session.monitor(), quick()).running)
        return; // as virsh: suspending a paused domain is no error
    qmp::stop(session.monitor(), quick());
    note_reason(session, "user");
}

void Host::resume(const std::string& name, const Control& control) {
    Session session(folders_, resolve_name(folders_, name), "resume", control);
    refuse_damaged(session);
    const auto status = qmp::query_status(session.monitor(), quick());
    if (status.running) return;
    if (status.status == "guest-panicked" || status.status == "internal-error" || status.status == "shutdown")
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' cannot go on: QEMU says '{}'", session.name(), status.status),
                    "revert to a snapshot, or destroy and start it");
    qmp::cont(session.monitor(), quick());
    note_reason(session, "unpaused");
    thaw_if_noted(session);
}

} // namespace domsnap
