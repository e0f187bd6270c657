#include "plan/collect.h"

#include "plan/document.h"
#include "plan/merge.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

std::string Collection::job(const char* what) {
    return fmt::format("domsnap-{}-{}-{}", what, facts.unique, jobs++);
}

bool Collection::used_by_guest(const std::string& path) const {
    return uses(definition, path) || uses(live, path);
}

void put_record(Collection& collection, const model::Snapshot& changed, const model::Snapshot& old) {
    collection.plan.steps.push_back(PutRecord{changed.name, record_text(changed), record_text(old)});
}

std::string node_of(const Collection& collection, const std::string& path) {
    for (const auto& disk : collection.disks)
        for (size_t i = 0; i < disk.nodes.size() && i < disk.files.size(); ++i)
            if (disk.files[i] == path) return disk.nodes[i];
    return {};
}

namespace {

/// Besides what is written down, and for what was made before that was done: the overlays that snapshots
/// name, and what rests on a file that a snapshot froze. (I5)
std::set<std::string> files_of_ours(const Facts& facts, const model::SnapshotTree& tree) {
    std::set<std::string> ours = facts.made;
    for (const auto& snapshot : tree.all())
        for (const auto& disk : snapshot.disks)
            if (!disk.source.empty()) ours.insert(disk.source);
    const auto frozen = whole_points(tree.all());
    for (const auto& [path, file] : facts.files)
        if (frozen.contains(file.backing)) ours.insert(path);
    return ours;
}

void warn_once(Collection& c, std::string words) {
    auto& warnings = c.plan.warnings;
    if (std::find(warnings.begin(), warnings.end(), words) == warnings.end())
        warnings.push_back(std::move(words));
}

bool has_reason(const Collection& c, const std::string& path) {
    return c.used_by_guest(path) || c.facts.foreign.contains(path) || c.points.files.contains(path);
}

/// It has a reason, or something that rests on it has one. Headers are hostile: they may form a circle.
bool is_needed(const Collection& c, const std::string& path) {
    std::vector<std::string> open{path};
    for (size_t at = 0; at < open.size() && at <= c.files.size(); ++at) {
        if (has_reason(c, open[at])) return true;
        const auto overlays = overlays_of(c.files, open[at]);
        open.insert(open.end(), overlays.begin(), overlays.end());
    }
    return false;
}

bool holds_needed_tags(const Collection& c, const FileFacts& file) {
    return std::any_of(file.tags.begin(), file.tags.end(), [&](const auto& tag) {
        return c.points.tags.contains({file.path, tag});
    });
}

/// A file that is needed and cannot be read may rest on any other: then nothing is safe to touch. (F6)
bool chains_are_known(Collection& c) {
    for (const auto& [path, file] : c.files) {
        if (file.problem.empty() || !file.backing.empty() || file.format == "raw") continue;
        if (!has_reason(c, path)) continue;
        warn_once(
            c,
            fmt::format("no image file is removed or merged, because {} is still needed and what it rests on "
                        "cannot be read: {}",
                        path, file.problem));
        return false;
    }
    return true;
}

bool may_be_removed(const Collection& c, const std::string& path) {
    const auto found = c.files.find(path);
    return found != c.files.end() && found->second.problem.empty() && c.ours.contains(path) &&
           !c.busy.contains(path) && !has_reason(c, path) && overlays_of(c.files, path).empty();
}

enum class Direction { none, down, up };

/// Down keeps the older name. Up is only worth it where much less is moved; it needs a base that may go.
Direction direction_of(const Collection& c, const FileFacts& base, const FileFacts& child) {
    const bool down = c.ours.contains(child.path);
    const bool up = c.ours.contains(base.path) && !holds_needed_tags(c, base);
    if (up && (!down || base.actual_size < child.actual_size / 2)) return Direction::up;
    return down ? Direction::down : Direction::none;
}

/// Its own content, apart from internal snapshots in it, is nobody's but its overlays'.
bool may_be_merged(const Collection& c, const FileFacts& base) {
    return base.problem.empty() && (c.ours.contains(base.path) || c.given.contains(base.path)) &&
           !c.busy.contains(base.path) && !c.used_by_guest(base.path) &&
           !c.facts.foreign.contains(base.path) && !c.points.whole.contains(base.path);
}

void say_foreign(Collection& c, const std::string& path) {
    if (c.lost.contains(path) && c.facts.foreign.contains(path) && !c.used_by_guest(path) &&
        !c.points.files.contains(path))
        warn_once(c, fmt::format("{} stays: another domain reads it", path));
}

/// True if the two became one.
bool merge_with_child(Collection& c, const std::string& path) {
    const auto found = c.files.find(path);
    if (found == c.files.end() || !may_be_merged(c, found->second)) return false;
    const auto overlays = overlays_of(c.files, path);
    if (overlays.size() != 1) return false; // it stays for them until one is left
    const FileFacts& child = c.files.at(overlays.front());
    if (!child.problem.empty() || c.busy.contains(child.path) || !is_needed(c, child.path)) return false;
    if (holds_needed_tags(c, child)) {
        if (c.lost.contains(path))
            warn_once(c,
                      fmt::format("{} stays: internal snapshots in {}, which rests on it, are still needed",
                                  path, child.path));
        return false;
    }
    const Direction direction = direction_of(c, found->second, child);
    if (direction == Direction::none) return false;
    (direction == Direction::down ? plan_commit : plan_pull)(c, std::string(child.path), path);
    return true;
}

} // namespace

Collection collection_of(const Facts& facts, const model::SnapshotTree& tree) {
    Collection c{facts,
                 tree.all(),
                 FrozenPoints(),
                 facts.definition,
                 facts.live,
                 facts.files,
                 files_of_ours(facts, tree),
                 facts.given,
                 {},
                 {},
                 facts.disks,
                 {},
                 0};
    c.plan.domain = facts.definition.name;
    c.plan.uuid = facts.definition.uuid;
    return c;
}

void remove_unneeded(Collection& c) {
    c.points = FrozenPoints(c.remaining);
    if (!chains_are_known(c)) {
        c.ours.clear();
        c.given.clear();
    }
    auto open = c.lost;
    while (!open.empty()) {
        const std::string path = *open.begin();
        open.erase(open.begin());
        if (!may_be_removed(c, path)) continue;
        c.plan.steps.push_back(RemoveFile{path, "image that nothing needs any more"});
        open.insert(c.files.at(path).backing); // what lay below may have been there for it alone
        c.lost.insert(c.files.at(path).backing);
        c.files.erase(path);
    }
}

void merge_unneeded(Collection& c) {
    for (const auto& path : c.lost)
        say_foreign(c, path);
    std::set<std::string> candidates = c.ours;
    candidates.insert(c.given.begin(), c.given.end());
    for (bool again = true; again;) {
        again = false;
        for (const auto& path : candidates)
            while (merge_with_child(c, path))
                again = true;
    }
}

} // namespace domsnap::plan
