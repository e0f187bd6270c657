// The block graph: which nodes there are, what stands on what, which device uses which; and the changes to
// it.
#include "qmp/commands.h"

#include "qmp/answer.h"

#include <string_view>

namespace domsnap::qmp {

namespace {

/// node-name -> role ("file", "backing", …) -> the child's node-name
using Children = std::map<std::string, std::map<std::string, std::string>>;

// QEMU 7.2 to 10.0 tell a node's children nowhere else: query-named-block-nodes gives file names only (its
// "children" came with 10.1), and query-blockstats follows a device's chain but leaves out nodes that no
// device uses. The command's "x-" marks it as unstable; it has looked the same since QEMU 4.0.
Children children_from_graph(const Json& graph) {
    std::map<uint64_t, std::string> names;
    for (const Json& node : graph.at("nodes"))
        if (node.at("type") == "block-driver") names[node.at("id")] = node.at("name");
    Children children;
    for (const Json& edge : graph.at("edges")) {
        const auto parent = names.find(edge.at("parent")), child = names.find(edge.at("child"));
        if (parent != names.end() && child != names.end())
            children[parent->second][edge.at("name")] = child->second;
    }
    return children;
}

std::string child_of(const Children& children, const std::string& node, const std::string& role) {
    const auto roles = children.find(node);
    if (roles == children.end()) return {};
    const auto child = roles->second.find(role);
    return child == roles->second.end() ? std::string() : child->second;
}

/// The file of the node's lowest "file" child: the node's own name for itself is a "json:{…}" as soon as its
/// backing node is not the one that its header names.
std::string file_of(const Children& children, const std::map<std::string, std::string>& files,
                    std::string node) {
    for (size_t depth = 0; depth < children.size(); ++depth) {
        const std::string below = child_of(children, node, "file");
        if (below.empty()) break;
        node = below;
    }
    const auto file = files.find(node);
    return file == files.end() ? std::string() : file->second;
}

BlockNode to_node(const Json& info) {
    const Json& image = info.at("image");
    BlockNode node{info.at("node-name"),
                   info.at("drv"),
                   {},
                   info.at("ro"),
                   {},
                   image.value("virtual-size", uint64_t{0}),
                   {}};
    for (const Json& snapshot : image.value("snapshots", Json::array()))
        node.internal_snapshots.push_back(snapshot.at("name"));
    return node;
}

/// "/machine/peripheral/vda/virtio-backend" (virtio-blk) -> "vda". A device without an id stays a QOM path.
std::string device_name(const Json& block) {
    std::string name = block.value("qdev", std::string());
    if (name.empty()) return block.value("device", std::string());
    constexpr std::string_view backend = "/virtio-backend", named = "/machine/peripheral/";
    if (name.ends_with(backend)) name.erase(name.size() - backend.size());
    if (name.starts_with(named)) name.erase(0, named.size());
    return name;
}

std::vector<BlockNode> to_nodes(const Json& infos, const Json& graph) {
    const Children children = children_from_graph(graph);
    std::map<std::string, std::string> files;
    for (const Json& info : infos)
        files[info.at("node-name")] = info.at("file");
    std::vector<BlockNode> nodes;
    for (const Json& info : infos) {
        BlockNode node = to_node(info);
        node.file = file_of(children, files, node.node_name);
        node.backing_node = child_of(children, node.node_name, "backing");
        nodes.push_back(std::move(node));
    }
    return nodes;
}

std::map<std::string, std::string> to_device_nodes(const Json& blocks) {
    std::map<std::string, std::string> nodes;
    for (const Json& block : blocks) {
        const std::string device = device_name(block);
        const Json inserted = block.value("inserted", Json::object());
        if (!device.empty()) nodes[device] = inserted.value("node-name", std::string());
    }
    return nodes;
}

Json to_json(const TransactionAction& action) {
    if (action.kind == TransactionAction::Kind::overlay)
        return {{"type", "blockdev-snapshot"},
                {"data", {{"node", action.node}, {"overlay", action.argument}}}};
    return {{"type", "blockdev-snapshot-internal-sync"},
            {"data", {{"device", action.node}, {"name", action.argument}}}};
}

} // namespace

void set_read_only(Client& qemu, const BlockNode& node, const std::string& file_node, bool read_only,
                   Deadline d) {
    Json options{{"driver", node.driver},
                 {"node-name", node.node_name},
                 {"read-only", read_only},
                 {"file", file_node}};
    options["backing"] = node.backing_node.empty() ? Json(nullptr) : Json(node.backing_node);
    qemu.run("blockdev-reopen", {{"options", Json::array({options})}}, d);
}

std::vector<BlockNode> query_named_block_nodes(Client& qemu, Deadline d) {
    const Json infos = qemu.run("query-named-block-nodes", {{"flat", true}}, d);
    const Json graph = qemu.run("x-debug-query-block-graph", d);
    return read_answer("query-named-block-nodes", [&] { return to_nodes(infos, graph); });
}

std::map<std::string, std::string> query_device_nodes(Client& qemu, Deadline d) {
    const Json blocks = qemu.run("query-block", d);
    return read_answer("query-block", [&] { return to_device_nodes(blocks); });
}

void blockdev_add(Client& qemu, const Json& options, Deadline d) { qemu.run("blockdev-add", options, d); }

void flush_node(Client& qemu, const std::string& node, Deadline d) {
    const auto words = human_command(qemu, fmt::format("qemu-io {} \"flush\"", node), d);
    if (words.starts_with("Error"))
        throw Error(ErrorCode::refused_by_qemu, fmt::format("QEMU could not flush '{}': {}", node, words));
}

void blockdev_del(Client& qemu, const std::string& node, Deadline d) {
    qemu.run("blockdev-del", {{"node-name", node}}, d);
}

void transaction(Client& qemu, const std::vector<TransactionAction>& actions, Deadline d) {
    Json list = Json::array();
    for (const auto& action : actions)
        list.push_back(to_json(action));
    qemu.run("transaction", {{"actions", list}}, d);
}

} // namespace domsnap::qmp
