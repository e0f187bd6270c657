// snapshot-revert: the disks get fresh overlays over what the snapshot froze (or its internal snapshots are
// applied), the definition goes back, and a new QEMU takes over from the memory that was saved. All that can
// be known before the old guest is ended is checked before.
#include "base/error.h"
#include "plan/collect.h"
#include "plan/document.h"
#include "plan/firmware.h"
#include "plan/manual.h"
#include "plan/names.h"
#include "plan/planner.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;

namespace {

struct Draft {
    const Snapshot& snapshot;
    const RevertOptions& options;
    const Facts& facts;
    const model::SnapshotTree& tree;
    model::Domain definition, live; ///< as they will be
    std::set<std::string> taken;
    Plan plan;

    bool with_memory() const {
        return snapshot.memory.location == Location::internal ||
               snapshot.memory.location == Location::external;
    }
    bool starts() const { return with_memory() || options.running || options.paused; }
    bool ends_paused() const {
        return options.paused || (!options.running && snapshot.state == model::SnapshotState::paused);
    }
};

model::Domain document_of(const std::vector<model::Element>& elements, const Draft& draft) {
    if (elements.empty())
        throw Error(ErrorCode::corrupt,
                    fmt::format("snapshot '{}' has no <domain>: the machine it was taken of is not known",
                                draft.snapshot.name),
                    "redefine it with a <domain> (snapshot-create --redefine)");
    model::Element element = elements.front();
    element.name = "domain";
    model::set_indentation(element, 0);
    model::Domain domain = model::domain_from(std::move(element));
    model::set_name(domain, draft.facts.definition.name); // the domain may have been renamed since
    return domain;
}

const FileFacts& usable_file(const Draft& draft, const std::string& disk, const model::DiskPoint& point) {
    const auto* file = draft.facts.file(point.file);
    const std::string problem = !file ? "it was not found" : file->problem;
    if (!problem.empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("snapshot '{}' needs file {} for disk '{}': {}", draft.snapshot.name,
                                point.file, disk, problem),
                    "put the file back; nothing was changed");
    if (!point.tag.empty() && !file->tags.contains(point.tag))
        throw Error(
            ErrorCode::conflict,
            fmt::format("snapshot '{}' needs the internal snapshot '{}' in {} (disk '{}'): it is not there",
                        draft.snapshot.name, point.tag, point.file, disk),
            "it was deleted behind domsnap's back; nothing was changed");
    return *file;
}

/// Records made elsewhere do not say which disk holds the memory: the first internal one does, as in libvirt.
model::DiskPoint memory_point(const Snapshot& snapshot) {
    if (snapshot.memory_point) return *snapshot.memory_point;
    for (const auto& disk : snapshot.disks)
        if (disk.point && !disk.point->tag.empty()) return *disk.point;
    throw Error(ErrorCode::corrupt,
                fmt::format("snapshot '{}' has internal memory, but no disk that holds it", snapshot.name));
}

void set_source(Draft& draft, const std::string& target, const std::string& type, const std::string& path,
                const std::string& format) {
    if (draft.definition.find_disk(target))
        model::set_disk_source(draft.definition, target, type, path, format);
    if (draft.live.find_disk(target)) model::set_disk_source(draft.live, target, type, path, format);
}

void plan_overlay(Draft& draft, const model::SnapshotDisk& disk) {
    const auto& file = usable_file(draft, disk.name, *disk.point);
    const auto overlay = free_overlay(disk.point->file, std::to_string(draft.facts.now), draft.taken);
    draft.plan.steps.push_back(MakeOverlay{overlay, disk.point->file, disk.point->format, file.virtual_size});
    draft.plan.space += file.virtual_size;
    set_source(draft, disk.name, "file", overlay, "qcow2");
}

/// Going back to an internal snapshot changes the file's own content. Where an overlay or another snapshot
/// rests on that content, a copy takes its place: libvirt goes back all the same, and destroys the other
/// branch.
std::string plan_internal_file(Draft& draft, const model::SnapshotDisk& disk) {
    const auto& file = usable_file(draft, disk.name, *disk.point);
    const auto& path = disk.point->file;
    if (overlays_of(draft.facts.files, path).empty() && !is_whole_point(draft.tree.all(), path) &&
        !draft.facts.foreign.contains(path))
        return path;
    const auto copy = free_overlay(path, std::to_string(draft.facts.now), draft.taken);
    draft.plan.steps.push_back(CopyImage{path, copy});
    draft.plan.space += file.actual_size;
    return copy;
}

/// A disk that the snapshot left out keeps its later content.
void keep_present(Draft& draft, const std::string& target) {
    if (const auto* now = draft.facts.definition.find_disk(target); now && !now->empty())
        set_source(draft, target, now->type, now->source, now->format);
}

std::vector<ApplyInternal> plan_disks(Draft& draft) {
    std::vector<ApplyInternal> applied;
    for (const auto& disk : draft.snapshot.disks) {
        if (!disk.point) {
            keep_present(draft, disk.name);
        } else if (disk.point->tag.empty()) {
            plan_overlay(draft, disk);
        } else {
            const auto path = plan_internal_file(draft, disk);
            set_source(draft, disk.name, "file", path, disk.point->format);
            applied.push_back({path, disk.point->tag});
        }
    }
    return applied;
}

void check_memory(const Draft& draft) {
    if (draft.options.mapped && draft.snapshot.memory.location != Location::external)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("--mapped needs a memory image, and the memory of snapshot '{}' is '{}'",
                                draft.snapshot.name, model::to_string(draft.snapshot.memory.location)),
                    "revert without it");
    if (draft.snapshot.memory.location == Location::internal)
        usable_file(draft, "memory", memory_point(draft.snapshot));
    if (draft.snapshot.memory.location != Location::external) return;
    const auto found = draft.facts.images.find(draft.snapshot.memory.file);
    if (found == draft.facts.images.end() || !found->second.problem.empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("the memory of snapshot '{}' cannot be used: {}", draft.snapshot.name,
                                found == draft.facts.images.end() ? "its image was not looked at"
                                                                  : found->second.problem),
                    "nothing was changed");
}

/// QEMU's snapshot-load brings memory and disks back at once, where one of those disks holds the memory.
/// Otherwise the memory is read out of its file, because loading it in place would set that file's own
/// content back too.
void load_internal(const Draft& draft, StartGuest& start) {
    const auto holder = memory_point(draft.snapshot);
    for (const auto& disk : draft.snapshot.disks) {
        if (!disk.point || disk.point->tag.empty()) continue;
        start.targets.push_back(disk.name);
        if (disk.point == holder) start.vmstate_target = disk.name;
    }
    start.tag = holder.tag;
    start.from = start.vmstate_target.empty() ? StartGuest::From::state : StartGuest::From::internal;
    if (start.from == StartGuest::From::state) start.image = holder.file;
}

StartGuest start_step(Draft& draft) {
    StartGuest start;
    start.text = document_text(draft.live);
    start.paused = draft.ends_paused();
    start.reason = "from snapshot";
    if (draft.snapshot.memory.location == Location::external) {
        start.from = StartGuest::From::memory;
        start.image = draft.snapshot.memory.file;
        start.mapped = draft.options.mapped;
        start.at_once = !start.mapped && !draft.options.eager && draft.facts.why_not_at_once.empty();
        if (!start.mapped && !draft.options.eager && !start.at_once)
            draft.plan.warnings.push_back("the guest runs only once all of its memory is loaded: " +
                                          draft.facts.why_not_at_once);
    } else if (draft.snapshot.memory.location == Location::internal) {
        load_internal(draft, start);
    } else {
        start.reason = "booted";
    }
    return start;
}

/// What the guest wrote until now goes if nothing else needs it, and what only that rested on. The QEMU that
/// comes up has its chains open under nodes of its own.
void collect_files(Draft& draft) {
    Collection left = collection_of(draft.facts, draft.tree);
    left.plan = std::move(draft.plan);
    left.disks.clear();
    for (const auto* domain : {&left.definition, &left.live})
        for (const auto& disk : domain->disks)
            left.lost.insert(disk.source);
    left.definition = draft.definition;
    left.live = draft.starts() ? draft.live : draft.definition;
    for (const auto& step : left.plan.steps)
        if (const auto* made = std::get_if<MakeOverlay>(&step))
            left.files[made->path] =
                FileFacts{made->path, "qcow2", made->backing, made->backing_format, made->size, 0, {}, {}};
        else if (const auto* copy = std::get_if<CopyImage>(&step)) {
            left.files[copy->to] = draft.facts.files.at(copy->from);
            left.files[copy->to].path = copy->to;
        }
    if (draft.starts())
        for (const auto& disk : left.live.disks)
            for (auto at = left.files.find(disk.source);
                 at != left.files.end() && left.busy.insert(at->first).second;
                 at = left.files.find(at->second.backing)) {
            }
    remove_unneeded(left);
    merge_unneeded(left);
    draft.plan = std::move(left.plan);
}

void describe_guest(Draft& draft) {
    const bool online = draft.facts.online();
    draft.plan.guest = online ? "The running guest is ended; what it did since its last snapshot is dropped."
                              : "The domain is off.";
    if (draft.starts())
        draft.plan.guest += draft.ends_paused() ? " It comes back paused." : " It comes back running.";
}

/// Whether no file that the guest will write to is the present guest's.
bool has_only_fresh_disks(const Draft& draft) {
    if (!draft.facts.has_process) return true;
    std::set<std::string> fresh;
    for (const auto& step : draft.plan.steps)
        if (const auto* made = std::get_if<MakeOverlay>(&step)) fresh.insert(made->path);
    return std::all_of(draft.live.disks.begin(), draft.live.disks.end(), [&](const model::Disk& disk) {
        return disk.empty() || disk.defaults_to_no() || fresh.contains(disk.source);
    });
}

void plan_switch(Draft& draft, const std::vector<ApplyInternal>& applied) {
    auto& steps = draft.plan.steps;
    const StartGuest start = start_step(draft);
    const bool all_first = start.from == StartGuest::From::memory && !start.at_once;
    if ((start.at_once || start.mapped) && draft.facts.why_not_beside.empty() && applied.empty() &&
        has_only_fresh_disks(draft))
        steps.push_back(PrepareGuest{start.text, start.mapped ? start.image : ""});
    else if (draft.starts())
        steps.push_back(TryOut{start.text, all_first ? start.image : ""});
    draft.plan.point_of_no_return = static_cast<uint32_t>(steps.size());
    if (draft.facts.has_process) steps.push_back(EndGuest{"from snapshot"});
    // Loading an internal state brings its disks back by itself.
    if (start.from != StartGuest::From::internal)
        for (const auto& apply : applied)
            steps.push_back(apply);
    const auto kept = put_backs(draft.snapshot, draft.live, draft.options, draft.facts);
    steps.insert(steps.end(), kept.begin(), kept.end());
    steps.push_back(PutDefinition{document_text(draft.definition), document_text(draft.facts.definition)});
    steps.push_back(SetCurrent{draft.snapshot.name, draft.tree.current()});
    if (draft.starts()) steps.push_back(start);
    if (draft.starts() && draft.snapshot.quiesced) steps.push_back(ThawGuest{});
    draft.plan.clean_up = static_cast<uint32_t>(steps.size());
}

} // namespace

Plan plan_revert(const std::string& name, const RevertOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree) {
    check_flags(options);
    const Snapshot& snapshot = tree.get(name);
    Draft draft{snapshot, options, facts, tree, {}, {}, facts.taken, {}};
    draft.live = document_of(snapshot.domain, draft);
    draft.definition =
        document_of(snapshot.inactive_domain.empty() ? snapshot.domain : snapshot.inactive_domain, draft);
    draft.plan.operation = "snapshot-revert";
    draft.plan.domain = facts.definition.name;
    draft.plan.uuid = facts.definition.uuid;
    draft.plan.snapshot = name;
    check_put_back(snapshot, options, facts);
    check_memory(draft);
    const auto applied = plan_disks(draft);
    plan_switch(draft, applied);
    collect_files(draft);
    describe_guest(draft);
    for (const auto& warning : firmware_warnings(snapshot, facts))
        draft.plan.warnings.push_back(warning);
    return std::move(draft.plan);
}

} // namespace domsnap::plan
