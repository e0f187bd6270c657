// Internal snapshots: in the images themselves, by the running QEMU or by qemu-img.
#include "base/error.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

bool holds(const std::string& path, const std::string& tag) {
    const auto info = image::info(path, "qcow2");
    return std::any_of(info.snapshots.begin(), info.snapshots.end(), [&](const auto& s) { return s.tag == tag; });
}

/// The running QEMU's node for the file; empty if it has none.
std::string node_for(Session& session, const std::string& path) {
    for (const auto& node : qmp::query_named_block_nodes(session.monitor(), quick()))
        if (node.file == path && node.driver == "qcow2") return node.node_name;
    return {};
}

void finish(Session& session, const std::string& job, bool cancellable) {
    const auto& control = session.control();
    qmp::finish_job(
        session.monitor(), job, [&](uint64_t done, uint64_t total) { control.report("memory and disks", done, total); },
        [&] { return cancellable && control.cancelled(); }, Deadline::never());
}

} // namespace

void delete_internal(Session& session, const std::string& path, const std::string& tag, const std::string& job) {
    const auto node = session.process() ? node_for(session, path) : std::string{};
    if (!holds(path, tag)) return;
    if (node.empty()) return image::snapshot_delete(path, tag);
    qmp::snapshot_delete(session.monitor(), job, tag, {node}, quick());
    finish(session, job, false);
}

void apply(Session& session, const plan::SaveInternal& step) {
    std::vector<std::string> nodes;
    for (const auto& disk : step.disks) nodes.push_back(disk.node);
    qmp::snapshot_save(session.monitor(), step.job, step.tag, step.vmstate_node, nodes, quick());
    finish(session, step.job, true);
    if (step.was_running && !qmp::query_status(session.monitor(), quick()).running) qmp::cont(session.monitor(), quick());
}

void undo(Session& session, const plan::SaveInternal& step) {
    session.forget_monitor();
    if (session.process()) {
        // The job of a domsnap that died goes on: it has to end before its result can be deleted.
        if (qmp::find_job(session.monitor(), step.job, quick())) try {
                finish(session, step.job, false);
            } catch (const Error&) { // it failed, or was cancelled: nothing of it is left
            }
        if (step.was_running && !qmp::query_status(session.monitor(), quick()).running) qmp::cont(session.monitor(), quick());
    }
    for (const auto& disk : step.disks) delete_internal(session, disk.path, disk.tag, fmt::format("{}-back-{}", step.job, disk.target));
}

void apply(Session&, const plan::CreateInternal& step) {
    if (!holds(step.path, step.tag)) image::snapshot_create(step.path, step.tag);
}

void undo(Session& session, const plan::CreateInternal& step) { delete_internal(session, step.path, step.tag, "domsnap-back"); }

void apply(Session& session, const plan::DeleteInternal& step) { delete_internal(session, step.path, step.tag, step.job); }

void apply(Session&, const plan::ApplyInternal& step) { image::snapshot_apply(step.path, step.tag); }

} // namespace domsnap::engine
