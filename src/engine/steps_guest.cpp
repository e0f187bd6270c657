#include "base/error.h"
#include "engine/guest.h"
#include "engine/mapped_image.h"
#include "engine/memory_file.h"
#include "engine/pages.h"
#include "engine/steps.h"
#include "machine/devices.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

namespace domsnap::engine {

namespace {

void load_internal(Session& session, const plan::StartGuest& step, const model::Domain& domain) {
    const auto devices = qmp::query_device_nodes(session.monitor(), quick());
    const auto node = [&](const std::string& target) {
        const auto found = devices.find(machine::disk_device_id(domain, target));
        if (found == devices.end())
            throw Error(ErrorCode::refused_by_qemu, fmt::format("QEMU has no disk '{}'", target));
        return found->second;
    };
    std::vector<std::string> nodes;
    for (const auto& target : step.targets)
        nodes.push_back(node(target));
    const std::string job = "domsnap-load";
    qmp::snapshot_load(session.monitor(), job, step.tag, node(step.vmstate_target), nodes, quick());
    finish_job(session, job, "memory and disks", false);
}

} // namespace

void apply(Session& session, const plan::TryOut& step) {
    try_qemu(session, runnable(session.folders(), parse_domain(step.text, session.name())));
    if (step.image.empty()) return;
    // Reading it all costs little beside loading it, which then finds it in the page cache; finding out later
    // would cost the guest that still runs.
    verify_memory(step.image, session.control());
}

void apply(Session& session, const plan::HoldGuest& step) {
    qmp::stop(session.monitor(), quick());
    note_reason(session, step.reason);
}

void undo(Session& session, const plan::HoldGuest& step) {
    session.forget_monitor();
    if (session.process()) resume_if(session, true);
    note_reason(session, step.old);
}

/// False if this QEMU (7.2) has no command for it.
static bool activate_images(Session& session) {
    auto& qemu = session.monitor();
    if (!qmp::query_capabilities(qemu, quick()).has("blockdev-set-active")) return false;
    qemu.run("blockdev-set-active", {{"active", true}}, quick());
    return true;
}

/// QEMU 10 takes them back by a command; 7.2 does it only on its way to running, so there the guest runs for
/// the moment between two commands.
void apply(Session& session, const plan::TakeImages&) {
    auto& qemu = session.monitor();
    const auto status = qmp::query_status(qemu, quick());
    if (status.status == "postmigrate" && activate_images(session)) return;
    if (status.status == "postmigrate") qmp::cont(qemu, quick());
    if (status.status == "postmigrate" || status.running) qmp::stop(qemu, quick());
}

void undo(Session& session, const plan::TakeImages&) {
    session.forget_monitor();
    if (session.process() && qmp::query_status(session.monitor(), quick()).running)
        qmp::stop(session.monitor(), quick());
}

void apply(Session& session, const plan::EndGuest& step) { end_qemu(session, step.reason); }

void apply(Session& session, const plan::KillGuest& step) { kill_qemu(session, step.reason); }

void apply(Session& session, const plan::AwaitEnd&) { await_killed_qemu(session); }

/// The step that would wait is not reached.
static void await_killed_all_the_same(const Session& session) {
    try {
        await_killed_qemu(session);
    } catch (const Error& error) {
        session.control().warn(error.what()); // who starts another waits again
    }
}

void apply(Session& session, const plan::StartGuest& step) {
    end_qemu(session,
             step.reason); // half started before a crash: from the snapshot again, nothing is lost by it
    const auto domain = runnable(session.folders(), parse_domain(step.text, session.name()));
    const bool incoming =
        step.from == plan::StartGuest::From::memory || step.from == plan::StartGuest::From::state;
    const auto purpose =
        step.from == plan::StartGuest::From::boot ? machine::Purpose::boot : machine::Purpose::memory;
    try {
        if (step.mapped && !step.tmpfs) require_verified(session, step.image);
        if (!use_prepared_qemu(session, domain, step.reason))
            start_qemu(session, domain, {incoming, step.mapped ? step.image : "", step.tmpfs, purpose});
        if (step.from == plan::StartGuest::From::memory)
            step.at_once&& allow_at_once(session, session.monitor())
                ? load_memory_at_once(session, step.image)
                : load_memory(session, domain, step.image, step.mapped);
        if (step.from == plan::StartGuest::From::state) load_vm_state(session, step.image, step.tag);
        if (step.from == plan::StartGuest::From::internal) load_internal(session, step, domain);
        // QEMU 10 leaves the images of a guest that came by a stream inactive until it runs, and merges none
        // of them before: "Inactive 'vda-1' can't be a backing child of active …". 7.2 has them active by
        // now.
        if (incoming && step.paused) activate_images(session);
        note_reason(session, step.reason);
    } catch (const Error&) {
        end_qemu(session, "failed"); // neither a guest without its memory nor one that waits for ever
        await_killed_all_the_same(session);
        throw;
    }
}

/// Nobody was told of it, and its guest never ran.
void undo(Session& session, const plan::StartGuest&) { end_qemu(session, "failed"); }

/// Of a guest that ran and has come to an end of its own. QEMU lets none of these run on. (7.2 and 10.0)
static bool has_come_to_rest(const std::string& status) {
    static const std::set<std::string> rests{"shutdown", "guest-panicked", "internal-error",
                                             "io-error", "watchdog",       "suspended"};
    return rests.contains(status);
}

static void let_run(Session& session) {
    if (!session.process())
        throw Error(ErrorCode::conflict, "QEMU ended before it was known that its guest runs");
    const auto status = qmp::query_status(session.monitor(), quick());
    // After a crash: it has run since.
    if (status.running || has_come_to_rest(status.status)) return;
    try {
        qmp::cont(session.monitor(), quick());
    } catch (const Error&) {
        end_qemu(session, "failed"); // one that waits for ever is of no use
        throw;
    }
}

void apply(Session& session, const plan::ResumeGuest&) {
    try {
        let_run(session);
    } catch (const Error&) {
        await_killed_all_the_same(session);
        throw;
    }
}

} // namespace domsnap::engine
