// Internal snapshots: in the images themselves, by the running QEMU or by qemu-img.
#include "base/error.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace domsnap::engine {

namespace {

constexpr const char* both = "memory and disks"; // what the progress of a snapshot job is called

bool holds(const std::string& path, const std::string& tag) {
    const auto info = image::info(path, "qcow2");
    return std::any_of(info.snapshots.begin(), info.snapshots.end(),
                       [&](const auto& s) { return s.tag == tag; });
}

/// The running QEMU's node for the file, if it has one.
std::optional<qmp::BlockNode> node_for(Session& session, const std::string& path) {
    for (auto& node : qmp::query_named_block_nodes(session.monitor(), quick()))
        if (node.file == path && node.driver == "qcow2") return std::move(node);
    return std::nullopt;
}

} // namespace

void delete_internal(Session& session, const std::string& path, const std::string& tag,
                     const std::string& job) {
    const auto node = session.process() ? node_for(session, path) : std::nullopt;
    if (!holds(path, tag)) return;
    if (!node) return image::snapshot_delete(path, tag);
    // A backing image is open read-only, and QEMU deletes nothing from it until it is reopened.
    auto& qemu = session.monitor();
    const auto file_node = node->node_name + "-file";
    if (node->read_only) qmp::set_read_only(qemu, *node, file_node, false, quick());
    qmp::snapshot_delete(qemu, job, tag, {node->node_name}, quick());
    finish_job(session, job, both, false);
    if (node->read_only) qmp::set_read_only(qemu, *node, file_node, true, quick());
}

namespace {

/// The stop is QEMU's own unless overlays are switched in it too, or files read: then it must last until all
/// is done.
void save_all(Session& session, Underway& underway, const plan::SaveInternal& step) {
    std::vector<std::string> nodes;
    for (const auto& disk : step.disks)
        nodes.push_back(disk.node);
    const bool alone = step.overlays.empty() && step.read.empty();
    if (step.was_running && !alone) qmp::stop(session.monitor(), quick());
    read_files(underway, step.read);
    qmp::snapshot_save(session.monitor(), step.job, step.tag, step.vmstate_node, nodes, quick());
    finish_job(session, step.job, both, true);
    std::vector<qmp::TransactionAction> actions;
    for (const auto& one : step.overlays)
        actions.push_back({qmp::TransactionAction::Kind::overlay, one.base_node, one.overlay_node});
    if (!actions.empty()) qmp::transaction(session.monitor(), actions, quick());
}

} // namespace

void apply(Session& session, Underway& underway, const plan::SaveInternal& step) {
    try {
        save_all(session, underway, step);
    } catch (const Error&) {
        if (session.process()) resume_if(session, step.was_running); // the guest must not stand still for it
        throw;
    }
    resume_if(session, step.was_running);
}

void undo(Session& session, Underway&, const plan::SaveInternal& step) {
    session.forget_monitor();
    if (session.process()) {
        // The job of a domsnap that died goes on: it has to end before its result can be deleted.
        if (qmp::find_job(session.monitor(), step.job, quick())) try {
                finish_job(session, step.job, both, false);
            } catch (const Error&) { // it failed, or was cancelled: nothing of it is left
            }
        resume_if(session, step.was_running);
    }
    merge_back(session, step.overlays);
    for (const auto& disk : step.disks)
        delete_internal(session, disk.path, disk.tag, fmt::format("{}-back-{}", step.job, disk.node));
}

void apply(Session& session, const plan::CreateInternal& step) {
    if (!holds(step.path, step.tag)) image::snapshot_create(step.path, step.tag);
    session.ledger().renew(step.path);
}

void undo(Session& session, const plan::CreateInternal& step) {
    delete_internal(session, step.path, step.tag, "domsnap-back");
    session.ledger().renew(step.path);
}

void apply(Session& session, const plan::DeleteInternal& step) {
    delete_internal(session, step.path, step.tag, step.job);
    session.ledger().renew(step.path); // the file may be frozen as a whole by another snapshot
}

void apply(Session&, const plan::ApplyInternal& step) { image::snapshot_apply(step.path, step.tag); }

} // namespace domsnap::engine
