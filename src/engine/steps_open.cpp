// Images opened in the running QEMU ahead of the stop, and closed after it.
#include "base/error.h"
#include "engine/firmware.h"
#include "engine/steps.h"
#include "image/vm_state_file.h"
#include "machine/image_node.h"
#include "memory/capture.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::engine {

namespace {

std::map<std::string, std::string> files_by_node(Session& session) {
    std::map<std::string, std::string> files;
    for (const auto& node : qmp::query_named_block_nodes(session.monitor(), quick()))
        files[node.node_name] = node.file;
    return files;
}

/// A node that is in use, or gone, stays as it is.
void close_node(Session& session, const std::string& node) {
    try {
        qmp::blockdev_del(session.monitor(), node, quick());
    } catch (const Error& error) {
        if (error.code() != ErrorCode::refused_by_qemu) throw;
    }
}

/// Of the command line's nodes; the file's of ours goes with the node above.
std::array<std::string, 2> with_file(const std::string& node) { return {node, node + "-file"}; }

} // namespace

void apply(Session& session, const plan::OpenImages& step) {
    const auto open = files_by_node(session);
    const auto live = session.live();
    for (const auto& image : step.images)
        if (!open.contains(image.node))
            qmp::blockdev_add(session.monitor(),
                              machine::image_node(live, image.target, {image.path, image.format}, image.node,
                                                  image.below, image.read_only),
                              quick());
}

void undo(Session& session, const plan::OpenImages& step) {
    if (!session.process()) return;
    const auto open = files_by_node(session);
    for (auto image = step.images.rbegin(); image != step.images.rend(); ++image) {
        const auto node = open.find(image->node);
        if (node != open.end() && node->second == image->path) close_node(session, image->node);
    }
}

void apply(Session& session, const plan::CloseNodes& step) {
    if (!session.process()) return;
    const auto open = files_by_node(session);
    for (const auto& closed : step.nodes)
        for (const auto& name : with_file(closed.node)) {
            const auto node = open.find(name);
            if (node != open.end() && node->second == closed.path) close_node(session, name);
        }
}

namespace {

void open_state(Session& session, const plan::PrepareState& step) {
    // Of no use once QEMU has ended, so it need never be on disk.
    const qmp::Json cache{{"direct", false}, {"no-flush", true}};
    qmp::blockdev_add(session.monitor(),
                      {{"driver", "qcow2"},
                       {"node-name", step.node},
                       {"cache", cache},
                       {"file", {{"driver", "file"}, {"filename", step.path}, {"cache", cache}}}},
                      quick());
}

} // namespace

void apply(Session& session, const plan::PrepareState& step) {
    if (files_by_node(session).contains(step.node)) return;
    os::remove_file_durably(step.path); // half written before a crash
    image::write_vm_state_file(step.path, state_tag,
                               memory::device_stream(memory::ImageReader::open(step.image), kept_flash(step.flash)));
    open_state(session, step);
}

void undo(Session& session, const plan::PrepareState& step) {
    if (session.process() && files_by_node(session).contains(step.node)) close_node(session, step.node);
    os::remove_file_durably(step.path);
}

} // namespace domsnap::engine
