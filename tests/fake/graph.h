// The block graph: nodes over real files, what stands on what, and which device uses which.
#pragma once

#include "disk.h"

#include <list>
#include <map>
#include <optional>

namespace fake {

struct Node {
    std::string name, driver;
    std::string path;          ///< of a protocol node
    std::string file, backing; ///< names of the nodes below; "" = none
    bool read_only = false;
    bool monitor_owned = false; ///< made by blockdev-add itself, not as somebody's child
    uint64_t size = 0;          ///< of null-co
    uint64_t id = 0;            ///< in x-debug-query-block-graph
};

struct Device {
    std::string id;   ///< "" if the command line gave none
    std::string path; ///< as query-block's "qdev" gives it
    std::string node; ///< "" = no medium
    bool removable = false;
};

class Graph {
  public:
    std::list<Node> nodes;
    std::list<Device> devices;

    /// blockdev-add; the new node's name. Throws Refusal, and then nothing was added.
    std::string add(const Json& options);
    void remove(const std::string& name);
    void attach(const Json& device);

    Node* find(const std::string& name);
    /// Throws Refusal in the words that most block commands use.
    Node& get(const std::string& name);
    /// The same for commands that take node-names only.
    Node& get_by_node_name(const std::string& name);
    std::string path_of(const Node& node);
    uint64_t virtual_size(const Node& node);
    DiskHeader header_of(const Node& node); ///< empty but for the size if it is no qcow2
    bool takes_snapshots(const Node& node) const { return node.driver == "qcow2" && !node.read_only; }
    /// From top down to base, both included; empty if base is not below top.
    std::vector<Node*> chain(const std::string& top, const std::string& base);
    /// Whatever stood on or used `from` now stands on `to`.
    void replace(const std::string& from, const std::string& to, const std::string& except);
    void set_read_only(const std::string& name, bool read_only);
    /// Nodes that nobody refers to any more.
    void collect();
    std::string user_of_backing(const std::string& name); ///< the node above; "" if none
    bool used_by_device(const std::string& name);

  private:
    std::string add_node(const Json& options, bool monitor_owned);
    std::string add_child(const Json& reference, bool read_only);
    void open_backing(Node& node, const Json& options);
    Node make(const Json& options, bool monitor_owned);
    uint64_t next_ = 1;
};

/// The answers to query-named-block-nodes, query-block and x-debug-query-block-graph.
Json describe_node(Graph& graph, Node& node, bool flat);
Json describe_devices(Graph& graph);
Json describe_edges(Graph& graph);

} // namespace fake
