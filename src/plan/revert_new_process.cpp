// A revert by a new process: all that can be known before the old guest is ended is checked before, then a
// QEMU takes over from the memory that was saved.
#include "plan/document.h"
#include "plan/firmware.h"
#include "plan/revert_draft.h"

#include <algorithm>

namespace domsnap::plan {

using model::Location;

namespace {

/// QEMU's snapshot-load brings memory and disks back at once, where one of those disks holds the memory.
/// Otherwise the memory is read out of its file, because loading it in place would set that file's own
/// content back too.
void load_internal(const RevertDraft& draft, StartGuest& start) {
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

/// Whether no file that the guest will write to is the present guest's.
bool has_only_fresh_disks(const RevertDraft& draft) {
    if (!draft.facts.has_process) return true;
    std::set<std::string> fresh;
    for (const auto& step : draft.plan.steps)
        if (const auto* made = std::get_if<MakeOverlay>(&step)) fresh.insert(made->path);
    return std::all_of(draft.live.disks.begin(), draft.live.disks.end(), [&](const model::Disk& disk) {
        return disk.empty() || disk.defaults_to_no() || fresh.contains(disk.source);
    });
}

} // namespace

StartGuest start_step(RevertDraft& draft) {
    StartGuest start;
    start.text = document_text(draft.live);
    start.paused = draft.ends_paused();
    start.reason = "from snapshot";
    if (draft.snapshot.memory.location == Location::external) {
        start.from = StartGuest::From::memory;
        start.image = draft.snapshot.memory.file;
        start.mapped = draft.options.mapped;
        start.tmpfs = draft.options.tmpfs;
        start.at_once = !start.mapped && !draft.options.eager && draft.facts.why_not_at_once.empty();
        if (!start.mapped && !draft.options.eager && !start.at_once && !draft.in_place())
            draft.plan.warnings.push_back("the guest runs only once all of its memory is loaded: " +
                                          draft.facts.why_not_at_once);
    } else if (draft.snapshot.memory.location == Location::internal) {
        load_internal(draft, start);
        // Its stream would have to be laid out in a file first, which takes as long as loading it.
        draft.plan.warnings.push_back(
            "the guest runs only once all of its memory is loaded, which takes time "
            "in proportion to it: it lies inside of a disk image");
    } else {
        start.reason = "booted";
    }
    return start;
}

void plan_new_process(RevertDraft& draft) {
    auto& steps = draft.plan.steps;
    const StartGuest start = start_step(draft);
    const bool all_first = start.from == StartGuest::From::memory && !start.at_once;
    const bool beside = (start.at_once || start.mapped) && draft.facts.why_not_beside.empty() &&
                        draft.applied.empty() && has_only_fresh_disks(draft);
    // The two fight over nothing then: the old one's end, which takes as long as it has memory, need not be
    // waited for before the new guest runs.
    const bool kills = beside && draft.facts.has_process;
    if (beside)
        steps.push_back(PrepareGuest{start.text, start.mapped ? start.image : "",
                                     start.at_once ? start.image : "", start.tmpfs});
    else if (draft.starts())
        steps.push_back(TryOut{start.text, all_first ? start.image : ""});
    draft.plan.point_of_no_return = static_cast<uint32_t>(steps.size());
    if (kills)
        steps.push_back(KillGuest{"from snapshot"});
    else if (draft.facts.has_process)
        steps.push_back(EndGuest{"from snapshot"});
    // Loading an internal state brings its disks back by itself.
    if (start.from != StartGuest::From::internal)
        for (const auto& apply : draft.applied)
            steps.push_back(apply);
    const auto kept = put_backs(draft.snapshot, draft.live, draft.options, draft.facts);
    steps.insert(steps.end(), kept.begin(), kept.end());
    steps.push_back(PutDefinition{document_text(draft.definition), document_text(draft.facts.definition)});
    steps.push_back(SetCurrent{draft.snapshot.name, draft.tree.current()});
    if (draft.starts()) steps.push_back(start);
    if (draft.starts() && !start.paused) steps.push_back(ResumeGuest{});
    if (draft.starts() && draft.snapshot.quiesced) steps.push_back(ThawGuest{});
    if (kills) steps.push_back(AwaitEnd{}); // what is removed from here on is nobody's any more
    draft.plan.clean_up = static_cast<uint32_t>(steps.size());
}

} // namespace domsnap::plan
