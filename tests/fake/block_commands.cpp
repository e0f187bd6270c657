// Commands on the block graph, and the transaction that makes several one.
#include "machine.h"

#include <cstdlib>

namespace fake {

namespace {

/// blockdev-snapshot, with the checks of QEMU 7.2 and 10.0 in their order.
void take_overlay(Machine& machine, const Json& data) {
    Graph& graph = machine.graph;
    const Node& node = graph.get(data.at("node"));
    if (const auto user = graph.user_of_backing(node.name); !user.empty())
        throw Refusal("Node '" + node.name + "' is busy: node is used as backing hd of '" + user + "'");
    if (machine.jobs.busy(node.name))
        throw Refusal("Node '" + node.name +
                      "' is busy: block device is in use by block job: " + machine.jobs.type_on(node.name));
    Node& overlay = graph.get(data.at("overlay"));
    if (graph.used_by_device(overlay.name)) throw Refusal("The overlay is already in use");
    if (!overlay.backing.empty()) throw Refusal("The overlay already has a backing image");
    if (overlay.driver != "qcow2") throw Refusal("The overlay does not support backing images");
    graph.replace(node.name, overlay.name, overlay.name);
    overlay.backing = node.name;
    graph.set_read_only(node.name, true);
}

/// The file that got the snapshot.
std::string take_internal(Machine& machine, const Json& data) {
    const Node& node = machine.graph.get(data.at("device"));
    const std::string name = data.at("name");
    if (node.read_only) throw Refusal("Device '" + node.name + "' is read only");
    if (node.driver != "qcow2" || machine.images_inactive)
        throw Refusal("Block format '" + node.driver + "' used by device '" + node.name +
                      "' does not support internal snapshots");
    if (machine.graph.header_of(node).has(name))
        throw Refusal("Snapshot with name '" + name + "' already exists on device '" + node.name + "'");
    const std::string path = machine.graph.path_of(node);
    qemu_img({"snapshot", "-c", name, path});
    return path;
}

Json transaction(Machine& machine, const Json& arguments, Monitor&) {
    const auto nodes_before = machine.graph.nodes;
    const auto devices_before = machine.graph.devices;
    std::vector<std::pair<std::string, std::string>> taken; // file, tag
    try {
        for (const Json& action : arguments.at("actions")) {
            const std::string type = action.at("type");
            if (type == "abort") throw Refusal("Transaction aborted using Abort action");
            if (type == "blockdev-snapshot")
                take_overlay(machine, action["data"]);
            else if (type == "blockdev-snapshot-internal-sync")
                taken.emplace_back(take_internal(machine, action["data"]), action["data"]["name"]);
            else
                throw Refusal("The fake does not play '" + type + "'");
        }
    } catch (const Refusal&) {
        machine.graph.nodes = nodes_before;
        machine.graph.devices = devices_before;
        if (!machine.faults.find("leave", "transaction"))
            for (const auto& [path, tag] : taken)
                qemu_img({"snapshot", "-d", tag, path});
        throw;
    }
    return nothing;
}

Json one_overlay(Machine& machine, const Json& arguments, Monitor&) {
    take_overlay(machine, arguments);
    return nothing;
}

Json one_internal(Machine& machine, const Json& arguments, Monitor&) {
    take_internal(machine, arguments);
    return nothing;
}

Json query_nodes(Machine& machine, const Json& arguments, Monitor&) {
    Json list = Json::array();
    for (Node& node : machine.graph.nodes)
        list.push_back(describe_node(machine.graph, node, arguments.value("flat", false)));
    return list;
}

Json add(Machine& machine, const Json& arguments, Monitor&) {
    machine.graph.add(arguments);
    return nothing;
}

/// Only what domsnap changes by it: whether the node may be written.
Json reopen(Machine& machine, const Json& arguments, Monitor&) {
    for (const Json& options : arguments.at("options")) {
        const std::string name = options.value("node-name", "");
        if (!machine.graph.find(name)) throw Refusal("Failed to find node with node-name='" + name + "'");
        machine.graph.set_read_only(name, options.value("read-only", false));
    }
    return nothing;
}

/// Of all nodes at once; QEMU can also do it for one.
Json set_active(Machine& machine, const Json& arguments, Monitor&) {
    if (machine.running() && !arguments.at("active"))
        throw Refusal("Node is active, and its user does not support inactivation");
    machine.images_inactive = !arguments.at("active");
    return nothing;
}

Json remove(Machine& machine, const Json& arguments, Monitor&) {
    const std::string name = arguments.at("node-name");
    if (machine.jobs.busy(name))
        throw Refusal("Node '" + name +
                      "' is busy: block device is in use by block job: " + machine.jobs.type_on(name));
    machine.graph.remove(name);
    return nothing;
}

Device& device_at(Graph& graph, const std::string& path) {
    for (Device& device : graph.devices)
        if (path == device.path || path == "/machine/peripheral/" + device.id) return device;
    throw Refusal("Device '" + path + "' not found", "DeviceNotFound");
}

/// Only a device's drive, which is what QEMU 7.2 and 10.0 let a client change while the machine is there.
/// Both die of what they do not expect: the node that it has already, and a drive that has none.
Json set_property(Machine& machine, const Json& arguments, Monitor&) {
    Graph& graph = machine.graph;
    Device& device = device_at(graph, arguments.at("path"));
    const std::string property = arguments.at("property");
    if (property != "drive") throw Refusal("Property '" + device.id + "." + property + "' not found");
    if (!arguments.at("value").is_string())
        throw Refusal("Invalid parameter type for 'drive', expected: string");
    const Node& node = graph.get_by_node_name(arguments.at("value"));
    if (device.node.empty() || device.node == node.name) std::abort();
    if (node.read_only) throw Refusal("Block node is read-only");
    if (!graph.user_of_backing(node.name).empty() || graph.used_by_device(node.name))
        throw Refusal("Permission conflict on node '" + node.name +
                      "': permissions 'write' are both required by " + "block device '" + device.path +
                      "' and unshared by who has it");
    device.node = node.name;
    graph.collect();
    return nothing;
}

} // namespace

std::map<std::string, Command> block_commands() {
    return {{"blockdev-add", add},
            {"blockdev-del", remove},
            {"blockdev-reopen", reopen},
            {"blockdev-set-active", set_active},
            {"qom-set", set_property},
            {"transaction", transaction},
            {"blockdev-snapshot", one_overlay},
            {"blockdev-snapshot-internal-sync", one_internal},
            {"query-named-block-nodes", query_nodes},
            {"query-block",
             [](Machine& machine, const Json&, Monitor&) { return describe_devices(machine.graph); }},
            {"x-debug-query-block-graph",
             [](Machine& machine, const Json&, Monitor&) { return describe_edges(machine.graph); }}};
}

} // namespace fake
