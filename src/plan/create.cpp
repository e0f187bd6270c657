// snapshot-create: which files are made, where the guest is stopped (once), and what is written down last.
#include "base/text.h"
#include "plan/create_draft.h"
#include "plan/document.h"
#include "plan/firmware.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;

namespace {

void choose_name(CreateDraft& draft, const model::SnapshotTree& tree) {
    auto& name = draft.record.name;
    if (name.empty()) {
        // Two a second must not collide; libvirt's are the bare epoch seconds, so the first is that.
        name = std::to_string(draft.facts.now);
        for (unsigned n = 1; tree.find(name); ++n)
            name = fmt::format("{}-{}", draft.facts.now, n);
    }
    model::check_new_snapshot_name(name);
    if (tree.find(name))
        throw Error(ErrorCode::conflict,
                    fmt::format("operation failed: domain moment {} already exists", text::printable(name)),
                    "choose another name, or delete that snapshot first");
}

/// Every snapshot is live where it can be; who asks for it wants to know where it cannot.
void check_live(const CreateDraft& draft) {
    if (!draft.options.live) return;
    const auto no = [](const std::string& why) {
        throw Error(ErrorCode::unsupported,
                    fmt::format("live snapshot creation is supported only during full system "
                                "snapshots: {}",
                                why),
                    "leave --live out, or take external memory");
    };
    if (!draft.facts.online()) no("the domain is not running");
    if (draft.has_memory(Location::internal))
        no("QEMU stops the guest while it writes its memory into an image");
    if (has_manual(draft.record)) no("the guest must stand still until you have copied the disk");
    if (draft.has_memory(Location::external) && draft.runs_on() && !draft.facts.background_snapshot &&
        draft.facts.mapped_whole.empty())
        no(draft.facts.why_not_background);
}

void check_full(const CreateDraft& draft) {
    if (draft.options.full && !draft.has_memory(Location::external))
        refuse("--full says how external memory is stored, and this snapshot has none",
               "leave --full out, or take external memory (--memspec)");
}

void plan_stop(CreateDraft& draft, const SwitchDisks& change) {
    auto& steps = draft.plan.steps;
    const bool runs_at_once = draft.runs_on() && (change.image.empty() || change.is_live());
    plan_freeze(draft);
    plan_hold(draft);
    if (!change.overlays.empty() || !change.internals.empty() || !change.image.empty() ||
        !change.read.empty())
        steps.push_back(change);
    if (runs_at_once) plan_thaw(draft);
    steps.insert(steps.end(), draft.keeping.begin(), draft.keeping.end());
    if (!change.image.empty())
        steps.push_back(AwaitCapture{change.image, draft.runs_on(), change.mapped.empty()});
    if (!runs_at_once) plan_thaw(draft);
}

std::string how_it_feels(const CreateDraft& draft, const SwitchDisks& change) {
    const std::string quiet = draft.options.quiesce
                                  ? " Its file systems are frozen from just before that until it runs again."
                                  : "";
    if (!draft.runs_on()) return "The guest is paused, and stays so until you resume it." + quiet;
    if (change.image.empty() || change.is_live())
        return "The guest is stopped once, for milliseconds." + quiet;
    return "The guest stands still until its memory is saved." + quiet;
}

void plan_online(CreateDraft& draft) {
    auto& steps = draft.plan.steps;
    const bool running = draft.runs_on();
    if (draft.has_memory(Location::internal)) return plan_internal_memory(draft);
    SwitchDisks change{
        overlay_switches(draft), internal_points(draft), {}, {}, false, running, read_in_stop(draft), {}};
    if (draft.has_memory(Location::external)) {
        change.image = draft.record.memory.file;
        change.parent = parent_image(draft);
        if (running) change.mapped = draft.facts.mapped_whole;
        change.background = draft.facts.background_snapshot && running && change.mapped.empty();
        steps.push_back(ReserveImage{change.image});
        if (!draft.options.full && !draft.facts.why_whole.empty())
            draft.plan.warnings.push_back("the memory is stored whole: " + draft.facts.why_whole);
        if (running && !change.is_live())
            draft.plan.warnings.push_back(fmt::format(
                "the guest will stand still while its memory is saved: {}", draft.facts.why_not_background));
    }
    for (const auto& one : change.overlays)
        steps.push_back(AddNode{one.overlay_node, one.overlay_path, "qcow2"});
    plan_stop(draft, change);
    draft.plan.guest = how_it_feels(draft, change);
}

void plan_offline(CreateDraft& draft) {
    for (const auto& point : internal_points(draft))
        draft.plan.steps.push_back(CreateInternal{point.path, point.tag});
    draft.plan.steps.insert(draft.plan.steps.end(), draft.keeping.begin(), draft.keeping.end());
    draft.plan.guest = "The domain is off.";
}

/// The documents after the switch: each external disk on its overlay.
void plan_documents(CreateDraft& draft) {
    model::Domain live = draft.facts.live, definition = draft.facts.definition;
    bool changed = false;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::external) continue;
        model::set_disk_source(live, wanted.name, "file", wanted.source, wanted.driver);
        const auto* same = definition.find_disk(wanted.name);
        // A disk that was plugged in only for this run is none of the next start's business.
        if (same && same->source == wanted.point->file)
            model::set_disk_source(definition, wanted.name, "file", wanted.source, wanted.driver);
        changed = true;
    }
    if (!changed) return;
    if (draft.facts.online())
        draft.plan.steps.push_back(PutLive{document_text(live), document_text(draft.facts.live)});
    draft.plan.steps.push_back(
        PutDefinition{document_text(definition), document_text(draft.facts.definition)});
}

void plan_record(CreateDraft& draft, const model::SnapshotTree& tree) {
    auto& record = draft.record;
    record.creation_time = draft.facts.now;
    record.parent = tree.current();
    record.has_disks = true;
    record.quiesced = draft.options.quiesce && !draft.has_memory(Location::no);
    const bool disk_only = draft.facts.online() && draft.has_memory(Location::no);
    record.state = disk_only              ? model::SnapshotState::disk_snapshot
                   : draft.facts.online() ? draft.facts.state
                                          : model::SnapshotState::shutoff;
    record.domain = {draft.facts.live.document};
    record.domain.front().remove_attribute("id"); // of one run; a revert's is another
    if (draft.facts.online()) record.inactive_domain = {inactive_document(draft.facts.definition)};
    draft.plan.point_of_no_return = static_cast<uint32_t>(draft.plan.steps.size());
    if (!draft.options.no_metadata) {
        draft.plan.steps.push_back(PutRecord{record.name, record_text(record), {}});
        draft.plan.steps.push_back(SetCurrent{record.name, tree.current()});
        if (auto files = files_to_note(draft, tree); !files.empty())
            draft.plan.steps.push_back(NoteFrozen{std::move(files)});
    }
    if (draft.options.halt && draft.facts.online()) {
        draft.plan.steps.push_back(EndGuest{"from snapshot"});
        draft.plan.guest += " Then it is ended.";
    }
    draft.plan.clean_up = static_cast<uint32_t>(draft.plan.steps.size());
    draft.plan.afterwards = copies_to_make(record, draft.facts, draft.options.halt);
}

} // namespace

void plan_hold(CreateDraft& draft) {
    if (draft.facts.state == model::SnapshotState::running && has_manual(draft.record))
        draft.plan.steps.push_back(HoldGuest{"creating snapshot", draft.facts.reason});
}

Plan plan_create(Snapshot request, const CreateOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree) {
    CreateDraft draft{std::move(request), options, facts, facts.taken, {}, {}};
    if (facts.has_process && !facts.online())
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' is {}: there is nothing sound to save", facts.live.name,
                                model::to_string(facts.state)),
                    "revert it to a snapshot, or destroy it first");
    check_live(draft);
    check_quiesce(draft);
    check_full(draft);
    choose_name(draft, tree);
    draft.plan.operation = "snapshot-create";
    draft.plan.domain = facts.live.name;
    draft.plan.uuid = facts.live.uuid;
    draft.plan.snapshot = draft.record.name;
    if (facts.handed_over) draft.plan.steps.push_back(TakeImages{});
    if (draft.has_memory(Location::external)) plan_memory_file(draft);
    plan_disks(draft);
    plan_keeping(draft);
    if (facts.online())
        plan_online(draft);
    else
        plan_offline(draft);
    plan_documents(draft);
    plan_record(draft, tree);
    return std::move(draft.plan);
}

} // namespace domsnap::plan
