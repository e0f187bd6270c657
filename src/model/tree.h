// The snapshots of one domain as a tree by their parents' names, and the questions that lists and plans ask
// of it.
#pragma once

#include "model/outline.h"
#include "model/snapshot.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace domsnap::model {

/// Records, or their outlines, in any order. A parent that does not exist makes its child a root. Parents
/// that form a cycle are refused (corrupt), naming one of them.
template <class Node>
class TreeOf {
  public:
    TreeOf() = default;
    explicit TreeOf(std::vector<Node> snapshots, std::string current = {});

    const std::vector<Node>& all() const { return snapshots_; } ///< sorted by name without regard to case
    const std::string& current() const { return current_; }     ///< "" = none
    const Node* find(const std::string& name) const;
    /// As find; throws not_found in libvirt's words.
    const Node& get(const std::string& name) const;
    std::vector<const Node*> roots() const;
    std::vector<const Node*> children(const std::string& name) const;
    /// Without the snapshot itself; parents before children.
    std::vector<const Node*> descendants(const std::string& name) const;
    /// All, parents before children, siblings by name.
    std::vector<const Node*> topological() const;
    bool is_ancestor(const std::string& ancestor, const std::string& of) const;

    /// How many are right below each, and below it at all, in the order of all().
    struct Below {
        unsigned children = 0, descendants = 0;
    };
    std::vector<Below> count_below() const;

    /// In the place of the one of that name, whose parent it must have.
    void replace(Node snapshot);

  private:
    size_t
    place_of(const std::string& name) const; ///< where the names of children_ stand; behind the last: none
    std::vector<size_t> below(size_t place) const;
    std::vector<const Node*> at(const std::vector<size_t>& places) const;
    void refuse_cycles() const;

    std::vector<Node> snapshots_;
    std::string current_;
    std::unordered_map<std::string, size_t> index_;
    std::vector<std::vector<size_t>> children_{{}}; ///< by place; the roots behind the last
};

using SnapshotTree = TreeOf<Snapshot>;
using OutlineTree = TreeOf<SnapshotOutline>;
extern template class TreeOf<Snapshot>;
extern template class TreeOf<SnapshotOutline>;

} // namespace domsnap::model
