// snapshot-revert: the disks get fresh overlays over what the snapshot froze (or its internal snapshots are
// applied), the definition goes back, and the guest does: in place where the running QEMU allows it, else in
// a new one.
#include "base/error.h"
#include "base/text.h"
#include "plan/collect.h"
#include "plan/firmware.h"
#include "plan/manual.h"
#include "plan/record_content.h"
#include "plan/revert_draft.h"

#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;

namespace {

void check_memory(const RevertDraft& draft) {
    if (draft.options.mapped && draft.snapshot.memory.location != Location::external)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("--mapped needs a memory image, and the memory of snapshot '{}' is '{}'",
                                draft.snapshot.name, model::to_string(draft.snapshot.memory.location)),
                    "revert without it");
    if (draft.options.tmpfs)
        check_room_for_copy(draft.snapshot.memory.file, draft.live.memory, draft.facts.memory_available);
    if (draft.snapshot.memory.location == Location::internal)
        usable_file(draft, "memory", memory_point(draft.snapshot));
    if (draft.snapshot.memory.location == Location::external) check_image(draft.facts, draft.snapshot);
}

/// The QEMU that stays has more open than the new chains.
void keep_open_files(Collection& left) {
    std::set<std::string> closed;
    for (const auto& step : left.plan.steps)
        if (const auto* close = std::get_if<CloseNodes>(&step))
            for (const auto& node : close->nodes)
                closed.insert(node.path);
    for (const auto& [path, node] : left.facts.open_nodes)
        if (!closed.contains(path)) left.busy.insert(path);
}

/// What the guest wrote until now goes if nothing else needs it, and what only that rested on. The QEMU that
/// comes up has its chains open under nodes of its own.
void collect_files(RevertDraft& draft) {
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
    if (draft.in_place()) keep_open_files(left);
    remove_unneeded(left);
    merge_unneeded(left);
    draft.plan = std::move(left.plan);
}

void describe_guest(RevertDraft& draft) {
    const bool online = draft.facts.online();
    if (draft.in_place()) {
        draft.plan.guest = fmt::format("The running guest goes back in place, stopped for a moment; what it "
                                       "did since its last snapshot is "
                                       "dropped. It comes back {}.",
                                       draft.ends_paused() ? "paused" : "running");
        return;
    }
    draft.plan.guest = online ? "The running guest is ended; what it did since its last snapshot is dropped."
                              : "The domain is off.";
    if (draft.starts())
        draft.plan.guest += draft.ends_paused() ? " It comes back paused." : " It comes back running.";
    if (online && draft.with_memory())
        draft.plan.guest += fmt::format(" (Not in place: {}.)", draft.why_not_in_place);
}

void plan_guest(RevertDraft& draft) {
    if (draft.in_place())
        plan_in_place(draft);
    else
        plan_new_process(draft);
}

} // namespace

void check_room_for_copy(const std::string& image, uint64_t needed, uint64_t available) {
    if (available == 0 || needed <= available) return;
    throw Error(
        ErrorCode::io,
        fmt::format("--tmpfs: no memory for a copy of memory image {}: {} are needed, {} are available",
                    image, text::human_size(needed), text::human_size(available)),
        "free some memory, or leave --tmpfs out: --mapped maps the image's own file");
}

RevertDraft begin_revert(const std::string& name, const RevertOptions& options, const Facts& facts,
                         const model::SnapshotTree& tree) {
    const Snapshot& snapshot = tree.get(name);
    RevertDraft draft{snapshot, options, facts, tree, {}, {}, facts.taken, {}};
    const auto& inactive = snapshot.inactive_domain.empty() ? snapshot.domain : snapshot.inactive_domain;
    draft.live = machine_of(snapshot, snapshot.domain, facts.definition.name);
    draft.definition = machine_of(snapshot, inactive, facts.definition.name);
    draft.plan.operation = "snapshot-revert";
    draft.plan.domain = facts.definition.name;
    draft.plan.uuid = facts.definition.uuid;
    draft.plan.snapshot = name;
    check_put_back(snapshot, options, facts);
    check_memory(draft);
    draft.why_not_in_place = in_place_problem(draft);
    return draft;
}

Plan plan_revert(const std::string& name, const RevertOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree) {
    check_flags(options);
    RevertDraft draft = begin_revert(name, options, facts, tree);
    plan_disks(draft);
    plan_guest(draft);
    collect_files(draft);
    describe_guest(draft);
    for (const auto& warning : firmware_warnings(draft.snapshot, facts))
        draft.plan.warnings.push_back(warning);
    return std::move(draft.plan);
}

} // namespace domsnap::plan
