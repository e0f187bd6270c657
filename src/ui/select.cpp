// snapshot-list's filters.
#include "ui/snapshots.h"

#include <map>
#include <set>

namespace domsnap::ui {

using Snapshots = std::vector<SnapshotInfo>;
using Children = std::map<std::string, std::vector<const SnapshotInfo*>>;

/// By parent's name; those without a (known) parent under "".
static Children children_of(const Snapshots& all) {
    std::set<std::string> names;
    for (const auto& snapshot : all)
        names.insert(snapshot.name);
    Children children;
    for (const auto& snapshot : all)
        children[names.contains(snapshot.parent) ? snapshot.parent : ""].push_back(&snapshot);
    return children;
}

/// Below parent ("" = all), parents before children.
static std::vector<const SnapshotInfo*> below(const Children& children, const std::string& parent) {
    std::vector<const SnapshotInfo*> found, waiting;
    const auto add_children = [&](const std::string& name) {
        if (const auto of = children.find(name); of != children.end())
            waiting.insert(waiting.end(), of->second.rbegin(), of->second.rend());
    };
    add_children(parent);
    while (!waiting.empty()) {
        found.push_back(waiting.back());
        waiting.pop_back();
        add_children(found.back()->name);
    }
    return found;
}

static bool state_matches(const SnapshotInfo& snapshot, const SnapshotFilter& filter) {
    if (!filter.inactive && !filter.active && !filter.disk_only) return true;
    if (snapshot.state == "shutoff") return filter.inactive;
    return snapshot.state == "disk-snapshot" ? filter.disk_only : filter.active;
}

static bool matches(const SnapshotInfo& snapshot, const SnapshotFilter& filter, bool root, bool leaf) {
    if (filter.roots && !root) return false;
    if ((filter.leaves && !leaf) || (filter.no_leaves && leaf)) return false;
    if (filter.no_metadata && !filter.metadata) return false; // every snapshot that we know has its record
    if (filter.internal != filter.external && filter.external != snapshot.external) return false;
    return state_matches(snapshot, filter);
}

/// The names of what --from leaves; nothing more than a set, so that the order stays the caller's.
static std::set<std::string> scope(const Children& children, const SnapshotFilter& filter) {
    std::set<std::string> names;
    if (filter.keep_from) names.insert(filter.from);
    if (filter.descendants) {
        for (const auto* snapshot : below(children, filter.from))
            names.insert(snapshot->name);
    } else if (const auto direct = children.find(filter.from); direct != children.end()) {
        for (const auto* snapshot : direct->second)
            names.insert(snapshot->name);
    }
    return names;
}

/// A list of ten thousand that asks for none of these is spared ten thousand look-ups.
static bool asks_for_relations(const SnapshotFilter& filter) {
    return filter.roots || filter.leaves || filter.no_leaves || filter.topological || !filter.from.empty();
}

Snapshots select(const Snapshots& all, const SnapshotFilter& filter) {
    const auto children = asks_for_relations(filter) ? children_of(all) : Children{};
    std::set<std::string> roots;
    if (const auto top = children.find(""); top != children.end())
        for (const auto* snapshot : top->second)
            roots.insert(snapshot->name);
    std::vector<const SnapshotInfo*> ordered;
    if (filter.topological)
        ordered = below(children, "");
    else
        for (const auto& snapshot : all)
            ordered.push_back(&snapshot);
    const auto in_scope = filter.from.empty() ? std::set<std::string>{} : scope(children, filter);
    Snapshots chosen;
    for (const auto* snapshot : ordered) {
        if (!filter.from.empty() && !in_scope.contains(snapshot->name)) continue;
        if (matches(*snapshot, filter, roots.contains(snapshot->name), !children.contains(snapshot->name)))
            chosen.push_back(*snapshot);
    }
    return chosen;
}

} // namespace domsnap::ui
