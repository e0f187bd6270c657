#include "engine/look.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/devices.h"
#include "os/file.h"

#include <fmt/format.h>
#include <map>

namespace domsnap::engine {

using plan::Facts;

namespace {

unsigned first_free_number(const std::vector<qmp::BlockNode>& graph, const std::string& target) {
    unsigned next = 0;
    for (const auto& node : graph) {
        if (!node.node_name.starts_with(target + "-")) continue;
        const auto number = text::to_u64(std::string_view(node.node_name).substr(target.size() + 1));
        if (number && *number >= next && *number < 1'000'000) next = static_cast<unsigned>(*number) + 1;
    }
    return next;
}

using NodesByName = std::map<std::string, const qmp::BlockNode*>;

NodesByName by_name(const std::vector<qmp::BlockNode>& graph) {
    NodesByName nodes;
    for (const auto& node : graph)
        nodes[node.node_name] = &node;
    return nodes;
}

void look_at_chain(plan::DiskFacts& disk, const NodesByName& nodes, const std::string& top) {
    for (auto at = nodes.find(top); at != nodes.end() && disk.nodes.size() < 1000;
         at = nodes.find(at->second->backing_node)) {
        disk.nodes.push_back(at->first);
        disk.files.push_back(at->second->file);
    }
}

} // namespace

void look_at_disk_nodes(Session& session, Facts& facts) {
    const bool online = facts.has_process; // a guest that crashed too: its QEMU holds the images
    const auto graph =
        online ? qmp::query_named_block_nodes(session.monitor(), quick()) : std::vector<qmp::BlockNode>{};
    const auto devices =
        online ? qmp::query_device_nodes(session.monitor(), quick()) : std::map<std::string, std::string>{};
    const auto nodes = by_name(graph);
    for (const auto& node : graph)
        if (node.driver == "qcow2" || node.driver == "raw") facts.open_nodes[node.file] = node.node_name;
    for (const auto& disk : facts.live.disks) {
        plan::DiskFacts known{disk.target, {}, {}, {}, first_free_number(graph, disk.target), true};
        if (!disk.empty()) known.folder_writable = os::is_writable_folder(text::folder_of(disk.source));
        if (online) {
            known.device = machine::disk_device_id(facts.live, disk.target);
            const auto node = devices.find(known.device);
            if (node != devices.end()) look_at_chain(known, nodes, node->second);
        } else {
            for (auto path = disk.source; !path.empty() && facts.file(path); path = facts.file(path)->backing)
                known.files.push_back(path);
        }
        facts.disks.push_back(std::move(known));
    }
}

void check_leaves(const Facts& facts) {
    for (const auto& disk : facts.disks) {
        const auto* said = facts.live.find_disk(disk.target);
        if (!said || said->empty() || disk.files.empty() || disk.files.front() == said->source) continue;
        throw Error(
            ErrorCode::conflict,
            fmt::format(
                "disk '{}' is in use as {}, but domsnap knows it as {}: it was changed behind domsnap's back",
                disk.target, disk.files.front(), said->source),
            "shut the domain down, and check its definition against its images");
    }
}

} // namespace domsnap::engine
