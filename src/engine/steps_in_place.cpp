// Going back in place: the one stop. The order is QEMU's (7.2 and 10.0): the drives first, by which a later
// look knows that the RAM may have been touched; RAM before the devices, because virtio's loader reads its
// rings there.
#include "base/error.h"
#include "engine/guest.h"
#include "engine/mapped_image.h"
#include "engine/steps.h"
#include "engine/world.h"
#include "image/qemu_img.h"
#include "memory/rewind.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

/// How far an earlier try came.
enum class Reached { nothing, half, all };

/// A guest whose drives are the old ones has its own RAM still; one that runs on the new ones has all of the
/// snapshot's. Anything else must not run on. (G8)
Reached how_far(Session& session, const plan::RewindGuest& step) {
    if (!session.process()) return Reached::half;
    const auto devices = qmp::query_device_nodes(session.monitor(), quick());
    const auto switched = [&](const plan::DriveSwitch& drive) {
        const auto node = devices.find(drive.device);
        return node != devices.end() && node->second == drive.node;
    };
    if (std::none_of(step.drives.begin(), step.drives.end(), switched)) return Reached::nothing;
    const bool all = std::all_of(step.drives.begin(), step.drives.end(), switched);
    return all && qmp::query_status(session.monitor(), quick()).running ? Reached::all : Reached::half;
}

/// The overlays may have been written to: by the guest, if domsnap was killed just after the stop.
void make_overlays_anew(Session& session, const plan::RewindGuest& step) {
    for (const auto& drive : step.drives) {
        os::remove_file_durably(drive.path);
        image::create_overlay(drive.path, drive.backing, drive.backing_format, drive.size);
        session.ledger().made(drive.path, model::FileRole::overlay);
    }
}

void start_anew(Session& session, const plan::RewindGuest& step, const std::string& why) {
    session.control().warn(fmt::format("not in place: {}; a new process takes over", why));
    end_qemu(session, step.otherwise.reason);
    make_overlays_anew(session, step);
    for (const auto& one : step.kept)
        apply(session, one);
    apply(session, step.otherwise);
    if (!step.otherwise.paused) apply(session, plan::ResumeGuest{});
}

void load_devices(Session& session, const plan::RewindGuest& step) {
    const std::string job = step.state_node + "-load";
    // Left over from a revert at once, it would make QEMU read the state as a postcopy's.
    qmp::set_migration_capabilities(session.monitor(), {}, quick());
    qmp::snapshot_load(session.monitor(), job, state_tag, step.state_node, {step.state_node}, quick());
    finish_job(session, job, "device state", false);
}

void put_live(Session& session, const plan::RewindGuest& step) {
    auto live = parse_domain(step.otherwise.text, session.name());
    live.document.set_attribute("id", session.live().document.attribute("id"));
    os::write_file(session.files().live(), model::to_text(live.document) + "\n");
}

void rewind(Session& session, const plan::RewindGuest& step, const memory::Rewind& ram) {
    for (const auto& drive : step.drives)
        qmp::set_drive(session.monitor(), drive.drive, drive.node, quick());
    ram.write();
    load_devices(session, step);
    put_live(session, step);
    if (!mapped_ram(session)) note_own_ram(session.files(), step.image);
    note_reason(session, step.otherwise.reason);
    if (!step.otherwise.paused) qmp::cont(session.monitor(), quick());
}

/// Nothing of the guest has been touched but that it stands still.
[[noreturn]] void let_it_run_on(Session& session, const plan::RewindGuest& step, const Error& why) {
    resume_if(session, step.was_running);
    throw Untouched(why);
}

void go_back(Session& session, const plan::RewindGuest& step) {
    const auto image = memory::ImageReader::open(step.image);
    const os::ForeignMemory process(session.running_process());
    std::optional<memory::Rewind> ram;
    try {
        const auto origin = mapped_ram(session);
        ram.emplace(image, process, qmp::ram_address(session.monitor(), quick()),
                    origin ? origin->copy : std::nullopt);
        qmp::stop(session.monitor(), quick());
        ram->compare();
    } catch (const Error& error) {
        let_it_run_on(session, step, error);
    }
    try {
        rewind(session, step, *ram);
    } catch (const Error& error) {
        start_anew(session, step, error.what());
    }
}

} // namespace

void apply(Session& session, const plan::RewindGuest& step) {
    Reached reached = Reached::half;
    try {
        reached = how_far(session, step);
    } catch (const Error& error) {
        return start_anew(session, step, error.what());
    }
    switch (reached) {
    case Reached::all:
        return put_live(session, step);
    case Reached::half:
        return start_anew(session, step, "it was cut short half way");
    case Reached::nothing:
        return go_back(session, step);
    }
}

} // namespace domsnap::engine
