// The one stop of a snapshot: disks at one instant, and the capture of memory.
#include "base/clock.h"
#include "base/error.h"
#include "engine/changed_source.h"
#include "engine/end_capture.h"
#include "engine/memory_identity.h"
#include "engine/saving.h"
#include "engine/steps.h"
#include "memory/stream.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::engine {

namespace {

std::string device_state_file(const Session& session) { return session.files().folder + "/device-state"; }

std::vector<qmp::TransactionAction> transaction_actions(const plan::SwitchDisks& step) {
    std::vector<qmp::TransactionAction> actions;
    for (const auto& one : step.overlays)
        actions.push_back({qmp::TransactionAction::Kind::overlay, one.base_node, one.overlay_node});
    for (const auto& one : step.internals)
        actions.push_back({qmp::TransactionAction::Kind::internal, one.node, one.tag});
    return actions;
}

/// What the image will say of itself. What earlier captures left to be told is forgotten.
memory::ImageIdentity begin_image(Session& session, Underway& underway) {
    auto identity =
        identity_of(session.live(), session.monitor().version(), since_epoch<std::chrono::seconds>());
    underway.expected = identity.ram_size;
    forget_captures(session);
    return identity;
}

std::string log_of(const Session& session) { return session.files().folder + "/capture.log"; }

/// Everything that can be made ready while the guest still runs.
void prepare_capture(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    auto& qemu = session.monitor();
    qmp::set_migration_capabilities(
        qemu, step.background ? std::vector<std::string>{"background-snapshot"} : std::vector<std::string>{},
        quick());
    qmp::set_migration_bandwidth_unlimited(qemu, quick());
    auto [stream, feed] = os::make_pipe();
    const auto identity = begin_image(session, underway);
    underway.capture.emplace(memory::CaptureProcess::start(
        std::move(stream), step.image, identity, log_of(session), step.parent, session.files().capture()));
    qmp::give_fd(qemu, stream_name, feed.get(), quick());
}

[[noreturn]] void migration_failed(const qmp::Migration& migration) {
    throw Error(
        ErrorCode::refused_by_qemu,
        fmt::format("the guest's memory could not be saved: {}",
                    migration.error.empty() ? "QEMU's migration " + migration.status : migration.error));
}

/// QEMU 7.2 resumes the guest by itself once device state is taken and RAM protected. QEMU 10 restores the
/// state from before `migrate`, which our own `stop` made "paused": there the first page that was sent tells
/// that both are done.
void wait_until_resumed(Session& session) {
    auto& qemu = session.monitor();
    for (const Deadline deadline = quick(); !deadline.passed();) {
        const auto migration = qmp::query_migrate(qemu, deadline);
        if (has_failed(migration)) migration_failed(migration);
        if (qmp::query_status(qemu, deadline).running) return;
        if (migration.pages > 0 || migration.status == "completed") return qmp::cont(qemu, deadline);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Error(ErrorCode::outcome_unknown, "the guest did not go on after its memory began to be saved");
}

memory::ChangedCapture begin_copying(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    const auto source = changed_source(session);
    const auto identity = begin_image(session, underway);
    auto capture = memory::ChangedCapture::start(source, step.image, identity, log_of(session), step.parent,
                                                 session.files().capture());
    os::write_file(device_state_file(session), ""); // QEMU would make it for its group to read
    capture.await_ready(quick());
    return capture;
}

/// The device state before the disks' overlays: QEMU flushes all disks once more for it, and those that it
/// has now have just been flushed. What is copied is what a migration sends, RAM before the devices are
/// asked.
void switch_and_copy(Session& session, const plan::SwitchDisks& step, Underway& underway,
                     memory::ChangedCapture& capture) {
    auto& qemu = session.monitor();
    qmp::stop(qemu, quick());
    capture.copy();
    qmp::save_device_state(qemu, device_state_file(session), quick());
    if (const auto actions = transaction_actions(step); !actions.empty())
        qmp::transaction(qemu, actions, quick());
    read_files(underway, step.read);
    capture.await_copied(quick());
    qmp::cont(qemu, quick());
}

/// A guest that has its RAM mapped.
void switch_mapped(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    auto capture = begin_copying(session, underway, step);
    switch_and_copy(session, step, underway, capture);
    capture.give_device_state(os::read_file(device_state_file(session), memory::max_device_state));
    os::remove_file_durably(device_state_file(session));
    underway.capture.emplace(capture.take_process());
}

/// Between the stop and the resume: as short as it can be.
void switch_all(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    auto& qemu = session.monitor();
    if (step.was_running) qmp::stop(qemu, quick());
    const auto actions = transaction_actions(step);
    if (!actions.empty()) qmp::transaction(qemu, actions, quick());
    read_files(underway, step.read);
    if (!step.image.empty()) qmp::migrate_to_fd(qemu, stream_name, quick());
    if (step.background)
        wait_until_resumed(session);
    else if (step.image.empty() && step.was_running)
        qmp::cont(qemu, quick());
}

} // namespace

void apply(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    if (!step.image.empty() && step.mapped.empty()) prepare_capture(session, underway, step);
    try {
        if (step.mapped.empty())
            switch_all(session, underway, step);
        else
            switch_mapped(session, underway, step);
    } catch (const Error&) {
        close_stream(session);
        // Whatever it was, the guest must not stand still for it; if QEMU is gone the undo sees to the files.
        if (session.process()) resume_if(session, step.was_running);
        throw;
    }
}

void undo(Session& session, Underway& underway, const plan::SwitchDisks& step) {
    session.forget_monitor(); // the connection may be broken in the midst of an answer
    underway.capture.reset();
    if (session.process()) {
        if (!step.image.empty() && step.mapped.empty()) end_capture(session, step.image);
        resume_if(session, step.was_running);
    }
    os::remove_file_durably(device_state_file(session));
    merge_back(session, step.overlays);
    if (!step.image.empty()) wait_for_writer(step.image);
    for (const auto& one : step.internals)
        delete_internal(session, one.path, one.tag, fmt::format("domsnap-back-{}", one.node));
}

namespace {

/// The user's Ctrl-C, or domjobabort, while memory is being written. QEMU 8 and later may be told to stop;
/// before that the capture is drained, and the undo waits for it.
void obey_cancel(Session& session, const plan::AwaitCapture& step) {
    if (!session.control().cancelled() && !is_unwanted(session, step.image)) return;
    const bool may_cancel =
        !qmp::query_capabilities(session.monitor(), quick()).background_snapshot_must_be_drained();
    if (step.streamed && (may_cancel || !step.was_running)) qmp::migrate_cancel(session.monitor(), quick());
    throw Error(
        ErrorCode::cancelled,
        fmt::format("saving the guest's memory to {} was cancelled; the guest runs on, nothing is kept",
                    step.image));
}

void report_progress(Session& session, const Underway& underway, const plan::AwaitCapture& step) {
    if (!step.streamed) {
        if (const auto status = capture_status(session, step.image))
            session.control().report("memory", status->done, status->total);
    } else if (const auto migration = look_at_migration(session)) {
        const auto done = migration->total - std::min(migration->remaining, migration->total);
        session.control().report("memory", std::min(done, underway.expected), underway.expected);
    }
}

memory::CaptureResult wait_for_image(Session& session, Underway& underway, const plan::AwaitCapture& step) {
    for (;;) {
        obey_cancel(session, step);
        if (const auto result = underway.capture->poll()) return *result;
        report_progress(session, underway, step);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

/// The same by what everybody can see, for a process that did not start the capture.
void wait_for_others_image(Session& session, const plan::AwaitCapture& step) {
    while (memory::capture_in_progress(step.image)) {
        obey_cancel(session, step);
        if (const auto status = capture_status(session, step.image))
            session.control().report("memory", status->done, status->total);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const auto status = capture_status(session, step.image);
    if (status && !status->error.empty()) throw Error(ErrorCode::io, status->error, status->hint);
    memory::ImageReader::open(step.image); // whole, or it says what is missing
}

/// The stream's end reaches the capture a moment before QEMU calls the migration completed; until then it
/// takes no other.
void wait_until_over(Session& session) {
    for (const Deadline deadline = quick(); !deadline.passed();) {
        const auto migration = qmp::query_migrate(session.monitor(), deadline);
        if (has_failed(migration)) migration_failed(migration);
        if (migration.status == "completed") return;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    throw Error(ErrorCode::outcome_unknown, "QEMU did not end the saving of the guest's memory");
}

} // namespace

void apply(Session& session, Underway& underway, const plan::AwaitCapture& step) {
    if (underway.capture) {
        const auto result = wait_for_image(session, underway, step);
        // Before QEMU is asked: one whose reader was killed may not answer any more.
        if (!result.complete) throw Error(ErrorCode::io, result.error);
        if (!result.whole_because.empty())
            session.control().warn("the memory was stored whole: " + result.whole_because);
        session.control().report("memory", underway.expected, underway.expected);
    } else {
        wait_for_others_image(session, step);
    }
    underway.capture.reset();
    if (!step.streamed || !session.process()) return; // it may end once its memory is saved
    wait_until_over(session);
    resume_if(session, step.was_running); // a stopped capture leaves it in "postmigrate"
}

} // namespace domsnap::engine
