#include "base/error.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::engine {

static bool has_node(Session& session, const std::string& node) {
    const auto graph = qmp::query_named_block_nodes(session.monitor(), quick());
    return std::any_of(graph.begin(), graph.end(), [&](const auto& n) { return n.node_name == node; });
}

void finish_job(Session& session, const std::string& job, const std::string& what, bool cancellable) {
    const auto& control = session.control();
    qmp::finish_job(
        session.monitor(), job, [&](uint64_t done, uint64_t total) { control.report(what, done, total); },
        [&] { return cancellable && control.cancelled(); }, Deadline::never());
}

void apply(Session& session, const plan::AddNode& step) {
    if (has_node(session, step.node)) return;
    // "backing": null, because blockdev-snapshot attaches the backing node itself (qemu 7.2 refuses an
    // overlay that has one).
    qmp::blockdev_add(session.monitor(),
                      {{"driver", step.format},
                       {"node-name", step.node},
                       {"file",
                        {{"driver", "file"},
                         {"filename", step.path},
                         {"node-name", step.node + "-file"},
                         {"discard", "unmap"}}},
                       {"discard", "unmap"},
                       {"backing", nullptr}},
                      quick());
}

void undo(Session& session, const plan::AddNode& step) { drop_node(session, step.node); }
void apply(Session& session, const plan::DropNode& step) { drop_node(session, step.node); }

void drop_node(Session& session, const std::string& node) {
    if (!session.process()) return;
    for (const auto& name : {node, node + "-file"})
        if (has_node(session, name)) qmp::blockdev_del(session.monitor(), name, quick());
}

void commit_active(Session& session, const std::string& target, const std::string& node,
                   const std::string& base_node, const std::string& job, bool cancellable) {
    // A job of that name is one that a dead domsnap began: it went on, and is finished here.
    if (!qmp::find_job(session.monitor(), job, quick()))
        qmp::block_commit(session.monitor(), job, node, node, base_node, {}, quick());
    finish_job(session, job, target, cancellable);
}

namespace {

void merge_back_online(Session& session, const plan::OverlaySwitch& one) {
    const auto devices = qmp::query_device_nodes(session.monitor(), quick());
    const auto present = devices.find(one.device);
    if (present != devices.end() && present->second == one.overlay_node)
        commit_active(session, one.target, one.overlay_node, one.base_node,
                      fmt::format("domsnap-back-{}", one.overlay_node), false);
}

/// QEMU is gone. What the guest wrote since the switch lies in the overlay: it belongs to the disk, which the
/// definition still names.
void merge_back_offline(Session& session, const plan::OverlaySwitch& one) {
    const auto file = os::file_info(one.overlay_path);
    if (!file || file->size == 0) return;
    try {
        if (image::info(one.overlay_path, "qcow2").backing_path != one.base_path) return;
    } catch (const Error&) {
        return; // never became an image, so nothing was written to it (base images stay intact: qemu 7.2,
                // 100+ kills)
    }
    image::commit(one.overlay_path, "qcow2", one.base_path,
                  Control{session.control().progress, session.control().warning, nullptr});
}

} // namespace

void merge_back(Session& session, const std::vector<plan::OverlaySwitch>& overlays) {
    const bool runs = session.process().has_value();
    for (const auto& one : overlays)
        runs ? merge_back_online(session, one) : merge_back_offline(session, one);
}

void resume_if(Session& session, bool was_running) {
    if (was_running && !qmp::query_status(session.monitor(), quick()).running)
        qmp::cont(session.monitor(), quick());
}

} // namespace domsnap::engine
