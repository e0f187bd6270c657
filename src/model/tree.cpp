#include "model/tree.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <set>

namespace domsnap::model {

SnapshotTree::SnapshotTree(std::vector<Snapshot> snapshots, std::string current)
    : snapshots_(std::move(snapshots)), current_(std::move(current)) {
    std::sort(snapshots_.begin(), snapshots_.end(),
              [](const Snapshot& a, const Snapshot& b) { return text::name_less(a.name, b.name); });
    for (size_t i = 0; i < snapshots_.size(); ++i) {
        if (index_.emplace(snapshots_[i].name, i).second) continue;
        throw Error(ErrorCode::corrupt,
                    "two records of a snapshot '" + text::printable(snapshots_[i].name) + "'");
    }
    // The key "" gathers the roots: snapshots without a parent, and those whose parent has no record.
    for (size_t i = 0; i < snapshots_.size(); ++i)
        children_[find(snapshots_[i].parent) ? snapshots_[i].parent : std::string{}].push_back(i);
    refuse_cycles();
}

/// What lies on a cycle, or below one, cannot be reached from a root.
void SnapshotTree::refuse_cycles() const {
    const auto reached = topological();
    if (reached.size() == snapshots_.size()) return;
    const std::set<const Snapshot*> known(reached.begin(), reached.end());
    for (const auto& snapshot : snapshots_) {
        if (known.contains(&snapshot)) continue;
        throw Error(ErrorCode::corrupt,
                    "the snapshots' parents form a cycle at or above '" + text::printable(snapshot.name) +
                        "'",
                    "a record names a wrong <parent>: correct it with snapshot-create --redefine");
    }
}

const Snapshot* SnapshotTree::find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &snapshots_[found->second];
}

const Snapshot& SnapshotTree::get(const std::string& name) const {
    if (const auto* snapshot = find(name)) return *snapshot;
    throw Error(ErrorCode::not_found,
                "Domain snapshot not found: no domain snapshot with matching name '" + text::printable(name) +
                    "'",
                "snapshot-list shows the snapshots that there are");
}

std::vector<const Snapshot*> SnapshotTree::children(const std::string& name) const {
    std::vector<const Snapshot*> out;
    const auto found = children_.find(name);
    if (found == children_.end()) return out;
    for (const auto i : found->second)
        out.push_back(&snapshots_[i]);
    return out;
}

std::vector<const Snapshot*> SnapshotTree::roots() const { return children(""); }

std::vector<const Snapshot*> SnapshotTree::descendants(const std::string& name) const {
    // A loop over a stack: ten thousand snapshots in one line must not need ten thousand frames.
    std::vector<const Snapshot*> out, pending = children(name);
    std::reverse(pending.begin(), pending.end());
    while (!pending.empty()) {
        out.push_back(pending.back());
        pending.pop_back();
        const auto below = children(out.back()->name);
        pending.insert(pending.end(), below.rbegin(), below.rend());
    }
    return out;
}

std::vector<const Snapshot*> SnapshotTree::topological() const { return descendants(""); }

bool SnapshotTree::is_ancestor(const std::string& ancestor, const std::string& of) const {
    for (const auto* at = find(of); at && !at->parent.empty(); at = find(at->parent))
        if (at->parent == ancestor) return true;
    return false;
}

} // namespace domsnap::model
