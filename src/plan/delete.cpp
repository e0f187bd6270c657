// snapshot-delete: the records go first, then what only they needed (plan/collect.h).
#include "base/error.h"
#include "base/text.h"
#include "plan/collect.h"
#include "plan/collect_images.h"
#include "plan/document.h"
#include "plan/planner.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Snapshot;

namespace {

struct Draft {
    const model::SnapshotTree& tree;
    std::vector<Snapshot> doomed; ///< children before parents
    Collection left;
};

void choose_doomed(Draft& draft, const std::string& name, const DeleteOptions& options) {
    const Snapshot& named = draft.tree.get(name);
    std::set<std::string> names;
    if (!options.children_only) names.insert(named.name);
    if (options.children || options.children_only)
        for (const auto* one : draft.tree.descendants(name))
            names.insert(one->name);
    draft.left.remaining.clear();
    for (const auto* one : draft.tree.topological())
        (names.contains(one->name) ? draft.doomed : draft.left.remaining).push_back(*one);
    std::reverse(draft.doomed.begin(), draft.doomed.end());
}

/// What others need of a snapshot that goes. (I9, F10)
void refuse_pinned(const Draft& draft, const Facts& facts) {
    for (const auto& snapshot : draft.doomed) {
        auto files = snapshot.own_files();
        for (const auto& point : snapshot.points())
            files.push_back({point.file, {}});
        for (const auto& own : files) {
            const auto found = facts.pinned.find(own.file);
            if (found == facts.pinned.end()) continue;
            const auto& who = found->second;
            throw Error(
                ErrorCode::conflict,
                fmt::format("snapshot '{}' cannot be deleted: {} {} {}", snapshot.name, text::join(who, ", "),
                            who.size() == 1 ? "needs" : "need", own.file),
                "undefine the forks (or destroy the guest) first; --metadata forgets the snapshot and "
                "leaves its files");
        }
    }
}

void plan_records(Draft& draft, const std::string& name, const DeleteOptions& options) {
    const auto& named = draft.tree.get(name);
    std::set<std::string> doomed;
    for (const auto& snapshot : draft.doomed)
        doomed.insert(snapshot.name);
    auto& steps = draft.left.plan.steps;
    for (auto& snapshot : draft.left.remaining) {
        if (!doomed.contains(snapshot.parent)) continue;
        const Snapshot old = snapshot;
        snapshot.parent = named.parent;
        put_record(draft.left, snapshot, old);
    }
    if (doomed.contains(draft.tree.current()))
        steps.push_back(SetCurrent{options.children_only ? name : named.parent, draft.tree.current()});
    for (const auto& snapshot : draft.doomed)
        steps.push_back(RemoveRecord{snapshot.name, record_text(snapshot)});
}

void plan_internal(Collection& left, const model::DiskPoint& point) {
    if (point.tag.empty() || is_point(left.remaining, point.file, point.tag)) return;
    const auto file = left.files.find(point.file);
    if (file == left.files.end() || file->second.tags.erase(point.tag) == 0) return;
    left.plan.steps.push_back(
        DeleteInternal{point.file, point.tag, node_of(left, point.file), left.job("delete")});
}

/// A file of ours that only held the memory: no disk has it, and nothing lies below it.
bool is_holder(const Collection& left, const Snapshot& snapshot) {
    const auto& file = snapshot.memory_point->file;
    const auto is_it = [&](const auto& disk) { return disk.point && disk.point->file == file; };
    return snapshot.memory.disk.empty() && file.ends_with(".vmstate") && !left.used_by_guest(file) &&
           std::none_of(snapshot.disks.begin(), snapshot.disks.end(), is_it);
}

void plan_internals(Draft& draft) {
    for (const auto& snapshot : draft.doomed) {
        for (const auto& disk : snapshot.disks)
            if (disk.point) plan_internal(draft.left, *disk.point);
        if (!snapshot.memory_point) continue;
        if (is_holder(draft.left, snapshot))
            draft.left.plan.steps.push_back(RemoveFile{snapshot.memory_point->file, "held the memory"});
        else
            plan_internal(draft.left, *snapshot.memory_point);
    }
}

/// The memory images that no snapshot names any more. A clone of a record shares its files.
std::vector<std::string> doomed_images(const Draft& draft) {
    std::set<std::string> kept;
    std::vector<std::string> images;
    for (const auto& snapshot : draft.left.remaining)
        kept.insert(snapshot.memory.file);
    for (const auto& snapshot : draft.doomed)
        if (const auto& file = snapshot.memory.file; !file.empty() && kept.insert(file).second)
            images.push_back(file);
    return images;
}

void plan_kept_files(Draft& draft) {
    std::set<std::string> kept;
    for (const auto& snapshot : draft.left.remaining)
        for (const auto& own : snapshot.own_files())
            kept.insert(own.file);
    for (const auto& snapshot : draft.doomed)
        for (const auto& own : snapshot.own_files())
            if (own.file != snapshot.memory.file && kept.insert(own.file).second)
                draft.left.plan.steps.push_back(RemoveFile{own.file, own.what});
}

/// What the deleted snapshots froze may have lost its last reason. What they froze as a whole, the guest had
/// written before: so it may be merged into again, even if it is the user's own.
void plan_files(Draft& draft) {
    for (const auto& snapshot : draft.doomed)
        for (const auto& point : snapshot.points())
            draft.left.lost.insert(point.file);
    for (const auto& file : whole_points(draft.doomed))
        draft.left.given.insert(file);
    remove_unneeded(draft.left);
    plan_internals(draft);
    merge_unneeded(draft.left);
}

} // namespace

Plan plan_delete(const std::string& name, const DeleteOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree) {
    check_flags(options);
    Draft draft{tree, {}, collection_of(facts, tree)};
    Plan& plan = draft.left.plan;
    plan.operation = "snapshot-delete";
    plan.snapshot = name;
    plan.point_of_no_return = 0;
    choose_doomed(draft, name, options);
    if (!options.metadata) refuse_pinned(draft, facts);
    plan_records(draft, name, options);
    plan.clean_up = static_cast<uint32_t>(plan.steps.size());
    if (!options.metadata) {
        const auto images = doomed_images(draft);
        remove_unneeded_images(draft.left, images);
        plan_kept_files(draft);
        plan_files(draft);
        fold_unneeded_images(draft.left, images);
    }
    plan.guest = facts.online() ? "The guest runs on." : "The domain is off.";
    return std::move(plan);
}

} // namespace domsnap::plan
