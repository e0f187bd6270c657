// Snapshots as virsh shows them, and as JSON (one document with stable keys; see domsnap(1)).
#pragma once

#include <domsnap/host.h>

#include <optional>
#include <string>
#include <vector>

namespace domsnap::ui {

/// quiet: neither heading nor rule. parent: the column that --parent adds.
std::string snapshot_table(const std::vector<SnapshotInfo>& snapshots, bool parent, bool quiet);
std::string snapshot_names(const std::vector<SnapshotInfo>& snapshots);
std::string snapshot_tree(const std::vector<SnapshotInfo>& snapshots);
/// As virsh's; a line more where the snapshot is warm, and for memory that rests on another's.
std::string snapshot_block(const SnapshotInfo& snapshot, const std::optional<MemoryImageInfo>& memory = {});

std::string snapshots_json(const std::string& domain, const std::vector<SnapshotInfo>& snapshots);
std::string snapshot_json(const SnapshotInfo& snapshot, const std::optional<MemoryImageInfo>& memory = {});

/// snapshot-list's options.
struct SnapshotFilter {
    bool roots = false, leaves = false, no_leaves = false, metadata = false, no_metadata = false;
    bool inactive = false, active = false, disk_only = false, internal = false, external = false;
    std::string from = {};    ///< "" = all
    bool descendants = false; ///< of from; else its children only
    bool keep_from = false;   ///< from itself too, as a tree shows it
    bool topological = false; ///< no child before its ancestors; else the order given
};

/// As virsh: within a group (states; internal and external) any that was asked for, across groups all.
/// --leaves with
/// --no-leaves is nothing.
std::vector<SnapshotInfo> select(const std::vector<SnapshotInfo>& all, const SnapshotFilter& filter);

} // namespace domsnap::ui
