// snapshot-delete: the records go first, then the files that nothing needs any more, each in the cheapest
// right way. Files are needed because a snapshot's point or the guest needs them, and for no other reason.
#include "base/error.h"
#include "plan/document.h"
#include "plan/planner.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Snapshot;

namespace {

struct Draft {
    const Facts& facts;
    const model::SnapshotTree& tree;
    std::vector<Snapshot> doomed;           ///< children before parents
    std::vector<Snapshot> remaining;        ///< as their records will be
    std::map<std::string, FileFacts> files; ///< as they will be
    model::Domain definition, live;
    Plan plan;
    unsigned jobs = 0;

    std::string job(const char* what) { return fmt::format("domsnap-{}-{}-{}", what, facts.unique, jobs++); }
    bool in_use(const std::string& file) const { return uses(definition, file) || uses(live, file); }
};

void choose_doomed(Draft& draft, const std::string& name, const DeleteOptions& options) {
    const Snapshot& named = draft.tree.get(name);
    std::set<std::string> names;
    if (!options.children_only) names.insert(named.name);
    if (options.children || options.children_only)
        for (const auto* one : draft.tree.descendants(name))
            names.insert(one->name);
    for (const auto* one : draft.tree.topological())
        (names.contains(one->name) ? draft.doomed : draft.remaining).push_back(*one);
    std::reverse(draft.doomed.begin(), draft.doomed.end());
}

void put_record(Draft& draft, const Snapshot& changed, const Snapshot& old) {
    draft.plan.steps.push_back(PutRecord{changed.name, record_text(changed), record_text(old)});
}

void plan_records(Draft& draft, const std::string& name, const DeleteOptions& options) {
    const auto& named = draft.tree.get(name);
    const auto is_doomed = [&](const std::string& which) {
        return std::any_of(draft.doomed.begin(), draft.doomed.end(),
                           [&](const auto& s) { return s.name == which; });
    };
    for (auto& snapshot : draft.remaining) {
        if (!is_doomed(snapshot.parent)) continue;
        const Snapshot old = snapshot;
        snapshot.parent = named.parent;
        put_record(draft, snapshot, old);
    }
    if (is_doomed(draft.tree.current()))
        draft.plan.steps.push_back(
            SetCurrent{options.children_only ? name : named.parent, draft.tree.current()});
    for (const auto& snapshot : draft.doomed)
        draft.plan.steps.push_back(RemoveRecord{snapshot.name, record_text(snapshot)});
}

std::string node_of(const Draft& draft, const std::string& path) {
    for (const auto& disk : draft.facts.disks)
        for (size_t i = 0; i < disk.nodes.size() && i < disk.files.size(); ++i)
            if (disk.files[i] == path) return disk.nodes[i];
    return {};
}

void plan_internal(Draft& draft, const model::DiskPoint& point) {
    if (point.tag.empty() || is_point(draft.remaining, point.file, point.tag)) return;
    const auto file = draft.files.find(point.file);
    if (file == draft.files.end() || file->second.tags.erase(point.tag) == 0) return;
    draft.plan.steps.push_back(
        DeleteInternal{point.file, point.tag, node_of(draft, point.file), draft.job("delete")});
}

/// A file of ours that only held the memory: no disk has it, and nothing lies below it.
bool is_holder(const Draft& draft, const Snapshot& snapshot) {
    const auto& file = snapshot.memory_point->file;
    const auto is_it = [&](const auto& disk) { return disk.point && disk.point->file == file; };
    return snapshot.memory.disk.empty() && file.ends_with(".vmstate") && !draft.in_use(file) &&
           std::none_of(snapshot.disks.begin(), snapshot.disks.end(), is_it);
}

void plan_internals(Draft& draft) {
    for (const auto& snapshot : draft.doomed) {
        for (const auto& disk : snapshot.disks)
            if (disk.point) plan_internal(draft, *disk.point);
        if (!snapshot.memory_point) continue;
        if (is_holder(draft, snapshot))
            draft.plan.steps.push_back(RemoveFile{snapshot.memory_point->file, "held the memory"});
        else
            plan_internal(draft, *snapshot.memory_point);
    }
}

/// A clone of a record shares its files.
void plan_own_files(Draft& draft) {
    std::set<std::string> kept;
    for (const auto& snapshot : draft.remaining)
        for (const auto& own : snapshot.own_files())
            kept.insert(own.file);
    for (const auto& snapshot : draft.doomed)
        for (const auto& own : snapshot.own_files())
            if (kept.insert(own.file).second) draft.plan.steps.push_back(RemoveFile{own.file, own.what});
}

/// Files that may have lost their last reason: what the deleted snapshots froze, and the overlays they made.
/// Never a file that only lies below those: it may be a golden image that others use.
std::set<std::string> candidates(const Draft& draft) {
    std::set<std::string> files;
    for (const auto& snapshot : draft.doomed)
        for (const auto& disk : snapshot.disks) {
            if (disk.point) files.insert(disk.point->file);
            if (!disk.source.empty()) files.insert(disk.source);
        }
    return files;
}

bool holds_needed_tags(const Draft& draft, const FileFacts& file) {
    return std::any_of(file.tags.begin(), file.tags.end(),
                       [&](const auto& tag) { return is_point(draft.remaining, file.path, tag); });
}

std::string target_of(const Draft& draft, const std::string& path) {
    for (const auto& disk : draft.facts.disks)
        if (std::find(disk.files.begin(), disk.files.end(), path) != disk.files.end()) return disk.target;
    return {};
}

void repoint_documents(Draft& draft, const std::string& from, const FileFacts& to) {
    const model::Domain old_definition = draft.definition, old_live = draft.live;
    for (auto* domain : {&draft.definition, &draft.live}) {
        const auto disks = domain->disks; // set_disk_source changes the list
        for (const auto& disk : disks)
            if (disk.source == from) model::set_disk_source(*domain, disk.target, "file", to.path, to.format);
    }
    if (draft.facts.online() && uses(old_live, from))
        draft.plan.steps.push_back(PutLive{document_text(draft.live), document_text(old_live)});
    if (uses(old_definition, from))
        draft.plan.steps.push_back(
            PutDefinition{document_text(draft.definition), document_text(old_definition)});
}

/// The record's own documents name the file too: what dumpxml shows stays true.
void repoint_element(std::vector<model::Element>& documents, const std::string& from, const FileFacts& to) {
    if (documents.empty()) return;
    const std::string root = documents.front().name;
    documents.front().name = "domain";
    model::Domain domain = model::domain_from(std::move(documents.front()));
    const auto disks = domain.disks;
    for (const auto& disk : disks)
        if (disk.source == from) model::set_disk_source(domain, disk.target, "file", to.path, to.format);
    documents.front() = std::move(domain.document);
    documents.front().name = root;
}

void repoint_records(Draft& draft, const std::string& from, const FileFacts& to) {
    for (auto& snapshot : draft.remaining) {
        const Snapshot old = snapshot;
        bool changed = false;
        for (auto& disk : snapshot.disks)
            if (disk.point && disk.point->file == from) {
                disk.point->file = to.path;
                disk.point->format = to.format;
                changed = true;
            }
        if (!changed) continue;
        repoint_element(snapshot.domain, from, to);
        repoint_element(snapshot.inactive_domain, from, to);
        put_record(draft, snapshot, old);
    }
}

/// child's content goes down into base, which nothing else needs; the older file's name survives.
void plan_merge(Draft& draft, const std::string& child_path, const std::string& base_path) {
    const FileFacts child = draft.files.at(child_path), base = draft.files.at(base_path);
    const auto top = node_of(draft, child_path);
    std::string device_node;
    for (const auto& disk : draft.facts.disks)
        if (!top.empty() && std::find(disk.nodes.begin(), disk.nodes.end(), top) != disk.nodes.end())
            device_node = disk.nodes.front();
    draft.plan.steps.push_back(Merge{target_of(draft, child_path), child_path, child.format, base_path,
                                     base.format, device_node, top,
                                     top.empty() ? "" : node_of(draft, base_path), draft.job("merge")});
    draft.plan.space += child.actual_size;
    repoint_documents(draft, child_path, base);
    repoint_records(draft, child_path, base);
    for (const auto& grandchild : overlays_of(draft.files, child_path)) {
        draft.files.at(grandchild).backing = base_path;
        draft.files.at(grandchild).backing_format = base.format;
        if (node_of(draft, grandchild).empty())
            draft.plan.steps.push_back(
                Rebase{grandchild, draft.files.at(grandchild).format, base_path, base.format});
    }
    draft.plan.steps.push_back(RemoveFile{child_path, "overlay that was merged"});
    draft.files.erase(child_path);
}

/// One file that may go; true if something was planned for it.
bool plan_file(Draft& draft, const std::string& path) {
    const auto found = draft.files.find(path);
    if (found == draft.files.end() || !found->second.problem.empty()) return false;
    if (draft.in_use(path) || is_point(draft.remaining, path)) return false;
    const auto overlays = overlays_of(draft.files, path);
    if (overlays.size() > 1) return false; // it stays for them until one is left
    if (overlays.empty()) {
        if (found->second.backing.empty()) return false; // never the user's own base image
        draft.plan.steps.push_back(RemoveFile{path, "overlay that nothing needs"});
        draft.files.erase(path);
        return true;
    }
    const auto& child = draft.files.at(overlays.front());
    if (!child.problem.empty()) return false;
    if (holds_needed_tags(draft, child)) {
        draft.plan.warnings.push_back(fmt::format(
            "{} stays: {} holds internal snapshots that are still needed, so it cannot be merged into it",
            path, child.path));
        return false;
    }
    plan_merge(draft, overlays.front(), path);
    return true;
}

void plan_files(Draft& draft) {
    auto open = candidates(draft);
    for (bool again = true; again;) {
        again = false;
        for (const auto& path : open)
            if (plan_file(draft, path)) again = true;
    }
}

} // namespace

Plan plan_delete(const std::string& name, const DeleteOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree) {
    check_flags(options);
    Draft draft{facts, tree, {}, {}, facts.files, facts.definition, facts.live, {}, 0};
    draft.plan.operation = "snapshot-delete";
    draft.plan.domain = facts.definition.name;
    draft.plan.uuid = facts.definition.uuid;
    draft.plan.snapshot = name;
    draft.plan.point_of_no_return = 0;
    choose_doomed(draft, name, options);
    plan_records(draft, name, options);
    draft.plan.clean_up = static_cast<uint32_t>(draft.plan.steps.size());
    if (!options.metadata) {
        plan_internals(draft);
        plan_own_files(draft);
        plan_files(draft);
    }
    draft.plan.guest = facts.online() ? "The guest runs on." : "The domain is off.";
    return std::move(draft.plan);
}

} // namespace domsnap::plan
