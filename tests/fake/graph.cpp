#include "graph.h"

#include "base/text.h"

#include <algorithm>

namespace fake {

Node* Graph::find(const std::string& name) {
    const auto found =
        std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
    return found == nodes.end() ? nullptr : &*found;
}

Node& Graph::get(const std::string& name) {
    if (Node* node = find(name)) return *node;
    throw Refusal("Cannot find device='" + name + "' nor node-name='" + name + "'");
}

Node& Graph::get_by_node_name(const std::string& name) {
    if (Node* node = find(name)) return *node;
    throw Refusal("Cannot find device='' nor node-name='" + name + "'");
}

std::string Graph::path_of(const Node& node) {
    return node.file.empty() ? node.path : path_of(get(node.file));
}

DiskHeader Graph::header_of(const Node& node) {
    if (node.driver == "qcow2") return read_qcow2(path_of(node));
    DiskHeader header;
    header.virtual_size = node.driver == "null-co" ? node.size : file_size(path_of(node));
    return header;
}

uint64_t Graph::virtual_size(const Node& node) { return header_of(node).virtual_size; }

std::string Graph::add(const Json& options) {
    const auto before = nodes;
    try {
        return add_node(options, true);
    } catch (const Refusal&) {
        nodes = before;
        throw;
    }
}

Node Graph::make(const Json& options, bool monitor_owned) {
    Node node;
    node.id = next_++;
    node.driver = options.at("driver");
    node.name = options.value("node-name", "");
    if (node.name.empty() && monitor_owned) throw Refusal("'node-name' must be specified for the root node");
    if (node.name.empty()) node.name = "#block" + std::to_string(100 + node.id);
    if (find(node.name)) throw Refusal("Duplicate nodes with node-name='" + node.name + "'");
    node.read_only = options.value("read-only", false);
    node.monitor_owned = monitor_owned;
    node.path = options.value("filename", "");
    node.size = options.value("size", uint64_t{1} << 30);
    return node;
}

std::string Graph::add_node(const Json& options, bool monitor_owned) {
    Node node = make(options, monitor_owned);
    if (!node.path.empty()) file_size(node.path);
    if (options.contains("file")) node.file = add_child(options["file"], node.read_only);
    if (node.driver == "qcow2") open_backing(node, options);
    nodes.push_front(node); // query-named-block-nodes lists the newest first
    return node.name;
}

std::string Graph::add_child(const Json& reference, bool read_only) {
    if (reference.is_string()) {
        if (!find(reference))
            throw Refusal("Cannot find device='" + reference.get<std::string>() + "' nor node-name='" +
                          reference.get<std::string>() + "'");
        return reference;
    }
    Json options = reference;
    if (!options.contains("read-only")) options["read-only"] = read_only;
    return add_node(options, false);
}

/// What "backing" says, or else what the header says.
void Graph::open_backing(Node& node, const Json& options) {
    const DiskHeader header = header_of(node);
    const Json backing = options.contains("backing") ? options["backing"] : Json(header.backing);
    if (backing.is_null() || backing == "") return;
    if (options.contains("backing")) {
        node.backing = add_child(backing, true);
        return;
    }
    const std::string folder = domsnap::text::folder_of(path_of(node));
    const std::string path = header.backing.starts_with('/') ? header.backing : folder + "/" + header.backing;
    const std::string format = header.backing_format.empty() ? "raw" : header.backing_format;
    try {
        node.backing =
            add_child({{"driver", format}, {"file", {{"driver", "file"}, {"filename", path}}}}, true);
    } catch (const Refusal& refusal) {
        throw Refusal("Could not open backing file: " + std::string(refusal.what()));
    }
}

std::string Graph::user_of_backing(const std::string& name) {
    for (const Node& node : nodes)
        if (node.backing == name) return node.name;
    return {};
}

bool Graph::used_by_device(const std::string& name) {
    return std::any_of(devices.begin(), devices.end(),
                       [&](const Device& device) { return device.node == name; });
}

void Graph::remove(const std::string& name) {
    Node* node = find(name);
    if (!node) throw Refusal("Failed to find node with node-name='" + name + "'");
    if (used_by_device(name)) throw Refusal("Node " + name + " is in use");
    if (const auto user = user_of_backing(name); !user.empty())
        throw Refusal("Node '" + name + "' is busy: node is used as backing hd of '" + user + "'");
    if (!node->monitor_owned) throw Refusal("Node " + name + " is not owned by the monitor");
    const auto stands_on = [&](const Node& other) { return other.file == name; };
    if (std::any_of(nodes.begin(), nodes.end(), stands_on))
        throw Refusal("Block device " + name + " is in use");
    nodes.remove_if([&](const Node& other) { return other.name == name; });
    collect();
}

void Graph::collect() {
    const auto nobody_uses = [&](const Node& node) {
        const auto refers = [&](const Node& other) {
            return other.file == node.name || other.backing == node.name;
        };
        return !node.monitor_owned && !used_by_device(node.name) &&
               std::none_of(nodes.begin(), nodes.end(), refers);
    };
    while (nodes.remove_if(nobody_uses) > 0) {
    }
}

std::vector<Node*> Graph::chain(const std::string& top, const std::string& base) {
    std::vector<Node*> found;
    for (Node* node = find(top); node; node = find(node->backing)) {
        found.push_back(node);
        if (node->name == base) return found;
    }
    return {};
}

void Graph::replace(const std::string& from, const std::string& to, const std::string& except) {
    for (Node& node : nodes)
        if (node.backing == from && node.name != except) node.backing = to;
    for (Device& device : devices)
        if (device.node == from) device.node = to;
}

void Graph::set_read_only(const std::string& name, bool read_only) {
    Node& node = get(name);
    node.read_only = read_only;
    if (Node* file = find(node.file)) file->read_only = read_only;
}

void Graph::attach(const Json& options) {
    const std::string driver = options.value("driver", "");
    const bool holds_medium = driver == "ide-cd" || driver == "scsi-cd";
    if (!options.contains("drive") && !holds_medium) return;
    Device device{options.value("id", ""), "", options.value("drive", ""), holds_medium};
    if (!device.node.empty() && !find(device.node))
        throw Refusal("Property '" + driver + ".drive' can't find value '" + device.node + "'");
    if (!device.node.empty() && used_by_device(device.node))
        throw Refusal("Drive '" + device.node + "' is already in use by another block device");
    const bool is_virtio = driver.starts_with("virtio-blk");
    const std::string anonymous = "/machine/peripheral-anon/device[" + std::to_string(devices.size()) + "]";
    const std::string qom = device.id.empty() ? anonymous : "/machine/peripheral/" + device.id;
    device.path = is_virtio ? qom + "/virtio-backend" : device.id.empty() ? qom : device.id;
    devices.push_back(device);
}

} // namespace fake
