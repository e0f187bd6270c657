// The block graph in QMP's words.
#include "graph.h"

#include "base/text.h"

#include <sys/stat.h>

namespace fake {

namespace {

uint64_t allocated(const std::string& path) {
    struct stat status{};
    return path.empty() || ::stat(path.c_str(), &status) != 0 ? 0
                                                              : static_cast<uint64_t>(status.st_blocks) * 512;
}

/// A node whose backing node is not the one that its header names has no plain file name any more.
std::string filename_of(Graph& graph, Node& node, const DiskHeader& header) {
    const std::string path = graph.path_of(node);
    if (node.driver != "qcow2") return path.empty() ? node.driver + "://" : path;
    const std::string below = node.backing.empty() ? "" : graph.path_of(graph.get(node.backing));
    const std::string named = header.backing.empty() || header.backing.starts_with('/')
                                  ? header.backing
                                  : domsnap::text::folder_of(path) + "/" + header.backing;
    if (below == named) return path;
    Json json{{"driver", node.driver}, {"file", {{"driver", "file"}, {"filename", path}}}};
    if (!below.empty())
        json["backing"] = {{"driver", graph.get(node.backing).driver},
                           {"file", {{"driver", "file"}, {"filename", below}}}};
    else
        json["backing"] = nullptr;
    return "json:" + json.dump();
}

Json describe_snapshots(const DiskHeader& header) {
    Json list = Json::array();
    for (const auto& snapshot : header.snapshots)
        list.push_back({{"id", snapshot.id},
                        {"name", snapshot.tag},
                        {"vm-state-size", snapshot.vm_state_bytes},
                        {"date-sec", snapshot.seconds},
                        {"date-nsec", 0},
                        {"vm-clock-sec", 0},
                        {"vm-clock-nsec", 0}});
    return list;
}

Json describe_image(Graph& graph, Node& node, bool flat) {
    const DiskHeader header = graph.header_of(node);
    Json image{{"filename", filename_of(graph, node, header)},
               {"format", node.driver},
               {"dirty-flag", false},
               {"virtual-size", header.virtual_size},
               {"actual-size", allocated(graph.path_of(node))}};
    if (!header.snapshots.empty()) image["snapshots"] = describe_snapshots(header);
    if (!header.backing.empty()) image["backing-filename"] = header.backing;
    if (!flat && !node.backing.empty())
        image["backing-image"] = describe_image(graph, graph.get(node.backing), flat);
    return image;
}

size_t depth_of(Graph& graph, const Node& node) {
    return node.backing.empty() ? 0 : 1 + depth_of(graph, graph.get(node.backing));
}

} // namespace

Json describe_node(Graph& graph, Node& node, bool flat) {
    Json info{{"node-name", node.name},
              {"drv", node.driver},
              {"ro", node.read_only},
              {"encrypted", false},
              {"detect_zeroes", "off"},
              {"write_threshold", 0},
              {"image", describe_image(graph, node, flat)},
              {"cache", {{"no-flush", false}, {"direct", false}, {"writeback", true}}},
              {"backing_file_depth", flat ? 0 : depth_of(graph, node)}};
    for (const char* throttle : {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"})
        info[throttle] = 0;
    info["file"] = info["image"]["filename"];
    if (!node.backing.empty()) info["backing_file"] = graph.path_of(graph.get(node.backing));
    return info;
}

Json describe_devices(Graph& graph) {
    Json list = Json::array();
    for (const Device& device : graph.devices) {
        Json info{{"device", ""},    {"qdev", device.path},           {"type", "unknown"},
                  {"locked", false}, {"removable", device.removable}, {"io-status", "ok"}};
        if (device.removable) info["tray_open"] = false;
        if (!device.node.empty()) info["inserted"] = describe_node(graph, graph.get(device.node), false);
        list.push_back(info);
    }
    return list;
}

Json describe_edges(Graph& graph) {
    Json nodes = Json::array(), edges = Json::array();
    const auto add_edge = [&](uint64_t parent, const char* role, const std::string& child) {
        if (child.empty()) return;
        edges.push_back({{"name", role},
                         {"parent", parent},
                         {"child", graph.get(child).id},
                         {"perm", {"consistent-read"}},
                         {"shared-perm", {"write-unchanged", "consistent-read"}}});
    };
    for (const Node& node : graph.nodes) {
        nodes.push_back({{"id", node.id}, {"type", "block-driver"}, {"name", node.name}});
        add_edge(node.id, "file", node.file);
        add_edge(node.id, "backing", node.backing);
    }
    uint64_t id = 1'000'000; // block backends, which have no numbers here, after all nodes
    for (const Device& device : graph.devices) {
        nodes.push_back({{"id", ++id}, {"type", "block-backend"}, {"name", device.path}});
        add_edge(id, "root", device.node);
    }
    return {{"nodes", nodes}, {"edges", edges}};
}

} // namespace fake
