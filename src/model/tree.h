// The snapshots of one domain as a tree by their parents' names, and the questions that lists and plans ask
// of it.
#pragma once

#include "model/snapshot.h"

#include <map>
#include <string>
#include <vector>

namespace domsnap::model {

/// Records in any order. A parent that does not exist makes its child a root. Parents that form a cycle are
/// refused (corrupt), naming one of them.
class SnapshotTree {
  public:
    SnapshotTree() = default;
    explicit SnapshotTree(std::vector<Snapshot> snapshots, std::string current = {});

    const std::vector<Snapshot>& all() const { return snapshots_; } ///< sorted by name without regard to case
    const std::string& current() const { return current_; }         ///< "" = none
    const Snapshot* find(const std::string& name) const;
    /// As find; throws not_found in libvirt's words.
    const Snapshot& get(const std::string& name) const;
    std::vector<const Snapshot*> roots() const;
    std::vector<const Snapshot*> children(const std::string& name) const;
    /// Without the snapshot itself; parents before children.
    std::vector<const Snapshot*> descendants(const std::string& name) const;
    /// All, parents before children, siblings by name.
    std::vector<const Snapshot*> topological() const;
    bool is_ancestor(const std::string& ancestor, const std::string& of) const;

  private:
    void refuse_cycles() const;

    std::vector<Snapshot> snapshots_;
    std::string current_;
    std::map<std::string, size_t> index_;
    std::map<std::string, std::vector<size_t>> children_;
};

} // namespace domsnap::model
