// A plan in plain words, for --dry-run: the steps that would run, from the very data that runs.
#include "base/text.h"
#include "plan/names.h"
#include "plan/planner.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

namespace {

PlanStep say(std::string action, std::vector<std::string> files = {}, bool paused = false) {
    return {text::printable(action), std::move(files), paused, false};
}

PlanStep describe(const MakeOverlay& s) {
    return say(fmt::format("create overlay {} over {}", s.path, s.backing), {s.path});
}
PlanStep describe(const CopyImage& s) {
    return say(fmt::format("copy {} to {}, because others still read it", s.from, s.to), {s.to});
}
PlanStep describe(const ReserveImage& s) {
    return say(fmt::format("create memory image {}", s.path), {s.path});
}
PlanStep describe(const AddNode& s) { return say(fmt::format("open {} in QEMU as node {}", s.path, s.node)); }

PlanStep describe(const SwitchDisks& s) {
    std::vector<std::string> parts, files;
    for (const auto& one : s.overlays)
        parts.push_back(fmt::format("switch {} to {}", one.target, one.overlay_path));
    for (const auto& one : s.internals) {
        parts.push_back(fmt::format("snapshot '{}' inside {} ({})", one.tag, one.path, one.target));
        files.push_back(one.path);
    }
    if (!s.mapped.empty())
        parts.push_back(fmt::format("copy the memory that the guest changed since it was mapped from {}, "
                                    "which is written while the guest runs",
                                    s.mapped));
    else if (!s.image.empty())
        parts.push_back(s.background ? "begin to save memory, which goes on while the guest runs"
                                     : "save memory");
    if (!s.parent.empty()) parts.back() += fmt::format(" (only what differs from {})", s.parent);
    for (const auto& file : s.read)
        parts.push_back(fmt::format("read {}", file));
    return say(fmt::format("{}{}", s.was_running ? "stop the guest; at one instant: " : "at one instant: ",
                           text::join(parts, ", ")),
               files, s.was_running);
}

PlanStep describe(const HoldGuest&) {
    return say("stop the guest, which stays paused until you resume it", {}, true);
}

PlanStep describe(const TakeImages&) {
    return say("let QEMU have the images again, which it took for handed over when it saved the memory", {},
               true);
}

PlanStep describe(const FreezeGuest& s) {
    return say(
        fmt::format("let the guest's agent freeze its file systems, for {} seconds at most", s.seconds));
}
PlanStep describe(const ThawGuest&) { return say("let the guest's agent thaw its file systems"); }

PlanStep describe(const AwaitCapture& s) {
    return say(fmt::format("wait until {} is complete and durable", s.image), {s.image});
}

PlanStep describe(const SaveInternal& s) {
    std::vector<std::string> files;
    for (const auto& disk : s.disks)
        files.push_back(disk.path);
    std::string also;
    for (const auto& one : s.overlays)
        also += fmt::format(", switch {} to {}", one.target, one.overlay_path);
    for (const auto& file : s.read)
        also += fmt::format(", read {}", file);
    return say(fmt::format("save memory and disks as internal snapshot '{}' in {}{}", s.tag,
                           text::join(files, ", "), also),
               files, s.was_running);
}

PlanStep describe(const MakeHolder& s) {
    return say(fmt::format("create {}, which will hold the memory", s.path), {s.path});
}
PlanStep describe(const KeepFile& s) {
    return say(fmt::format("keep the {} {} as {}", kept_words(s.role), s.from, s.to), {s.to});
}
PlanStep describe(const PutBack& s) {
    if (s.kept.empty())
        return say(
            fmt::format("remove the {} {}: the next start makes a fresh one", kept_words(s.role), s.file),
            {s.file});
    return say(fmt::format("put the {} back into {} from {}", kept_words(s.role), s.file, s.kept), {s.file});
}
PlanStep describe(const DropNode& s) { return say(fmt::format("let QEMU close node {}", s.node)); }

PlanStep describe(const CreateInternal& s) {
    return say(fmt::format("create internal snapshot '{}' in {}", s.tag, s.path), {s.path});
}
PlanStep describe(const DeleteInternal& s) {
    return say(fmt::format("delete internal snapshot '{}' from {}", s.tag, s.path), {s.path});
}
PlanStep describe(const ApplyInternal& s) {
    return say(fmt::format("bring back internal snapshot '{}' in {}", s.tag, s.path), {s.path});
}
PlanStep describe(const PutDefinition& s) {
    return say(s.old.empty() ? "define the domain" : "write the domain's definition");
}
PlanStep describe(const CopyState& s) {
    return say(fmt::format("copy the {} that the snapshot kept, {}, to {}", kept_words(s.role), s.from, s.to),
               {s.to});
}
PlanStep describe(const PutFork& s) {
    return say(s.old.empty() ? "note whose snapshot the domain is a fork of"
                             : "note that the fork was started");
}
PlanStep describe(const PutLive&) { return say("note what the running guest uses"); }
PlanStep describe(const PutRecord& s) {
    return say(fmt::format("write the record of snapshot '{}'", s.name));
}
PlanStep describe(const RemoveRecord& s) {
    return say(fmt::format("remove the record of snapshot '{}'", s.name));
}
PlanStep describe(const SetCurrent& s) {
    return say(s.name.empty() ? "no snapshot is current any more"
                              : fmt::format("make '{}' the current snapshot", s.name));
}
PlanStep describe(const TryOut& s) {
    const std::string pages =
        s.image.empty() ? "" : fmt::format(", and every page of {} against its checksum", s.image);
    return say("check that QEMU takes the domain as it was (a trial process)" + pages);
}
PlanStep describe(const PrepareGuest& s) {
    if (s.tmpfs)
        return say(
            fmt::format("copy the RAM in {} to tmpfs, checking every page, and start a second QEMU with the "
                        "domain as it was, which has that copy mapped as its RAM",
                        s.ram));
    if (!s.ram.empty())
        return say(fmt::format("check every page of {}, and start a second QEMU with the domain as it was, "
                               "which has that mapped as its RAM",
                               s.ram));
    return say("start a second QEMU with the domain as it was, which waits for its memory");
}
PlanStep describe(const EndGuest&) { return say("end the running guest", {}, true); }
PlanStep describe(const KillGuest&) {
    return say("end the running guest: it is stopped for good, and its QEMU killed", {}, true);
}
PlanStep describe(const AwaitEnd&) { return say("wait until the old QEMU is gone"); }

PlanStep describe(const StartGuest& s) {
    const char* state = s.paused ? ", which stays paused" : "";
    switch (s.from) {
    case StartGuest::From::memory:
        if (s.mapped)
            return say(fmt::format("give the new QEMU its memory, mapped from {}{}{}",
                                   s.tmpfs ? "a copy on tmpfs of " : "", s.image, state),
                       {}, true);
        if (s.at_once)
            return say(fmt::format("give the new QEMU the device state of {}; its memory follows as it is "
                                   "needed{}",
                                   s.image, state),
                       {}, true);
        return say(fmt::format("start QEMU with the memory from {}{}", s.image, state), {}, true);
    case StartGuest::From::internal:
        return say(fmt::format("start QEMU and load internal snapshot '{}'{}", s.tag, state), {}, true);
    case StartGuest::From::state:
        return say(fmt::format("start QEMU with the memory from internal snapshot '{}' in {}{}", s.tag,
                               s.image, state),
                   {}, true);
    case StartGuest::From::boot:
        break;
    }
    return say(fmt::format("start QEMU{}", state), {}, true);
}
PlanStep describe(const ResumeGuest&) { return say("let the guest run"); }

PlanStep describe(const OpenImages& s) {
    std::vector<std::string> files;
    for (const auto& image : s.images)
        files.push_back(image.path);
    return say(fmt::format("open {} in QEMU", text::join(files, ", ")), files);
}
PlanStep describe(const PrepareState& s) {
    return say(fmt::format("put the device state of {} into {}", s.image, s.path), {s.path});
}
PlanStep describe(const PutWarm& s) {
    return say(s.text.empty() ? "note that nothing lies ready any more"
                              : "note what lies ready for going back");
}
PlanStep describe(const RewindGuest& s) {
    std::vector<std::string> parts;
    for (const auto& drive : s.drives)
        parts.push_back(fmt::format("put {} on {}", drive.target, drive.path));
    return say(
        fmt::format("stop the guest; in place: {}, write back the pages of {} that differ, load its device "
                    "state{}",
                    text::join(parts, ", "), s.image,
                    s.otherwise.paused ? "" : "; the guest runs on from there"),
        {}, true);
}
PlanStep describe(const CloseNodes& s) {
    std::vector<std::string> files;
    for (const auto& closed : s.nodes)
        files.push_back(closed.path);
    return say(fmt::format("let QEMU close {}", text::join(files, ", ")));
}

PlanStep describe(const Merge& s) {
    return say(fmt::format("merge {} into {}{}", s.child, s.base,
                           s.top_node.empty() ? "" : ", while the guest runs"),
               {s.child, s.base});
}
PlanStep describe(const CommitActive& s) {
    return say(fmt::format("merge {} into {}, while the guest runs, and let it go on there", s.child, s.base),
               {s.child, s.base});
}
PlanStep describe(const Pull& s) {
    return say(fmt::format("pull the content of {} up into {}{}", s.base, s.path,
                           s.node.empty() ? "" : ", while the guest runs"),
               {s.path});
}
PlanStep describe(const Rebase& s) {
    return say(fmt::format("let {} rest on {}", s.path, s.backing), {s.path});
}
PlanStep describe(const FoldImage& s) {
    return say(fmt::format("write memory image {} anew, {}, as {} first", s.path,
                           s.parent.empty() ? "whole" : "resting on " + s.parent, s.fresh),
               {s.path, s.fresh});
}
PlanStep describe(const RemoveFile& s) {
    return say(fmt::format("remove {} ({})", s.path, s.what), {s.path});
}

PlanStep describe(const NoteFrozen& s) {
    std::vector<std::string> files;
    for (const auto& file : s.files)
        files.push_back(file.path);
    return say(fmt::format("note by what {} {} known again", text::join(files, ", "),
                           files.size() == 1 ? "is" : "are"));
}

} // namespace

PlanView describe(const Plan& plan) {
    PlanView view{plan.operation, {}, plan.guest, plan.space, plan.warnings, plan.afterwards};
    for (const Action& action : plan.steps)
        view.steps.push_back(std::visit([](const auto& step) { return describe(step); }, action));
    const auto held = std::find_if(plan.steps.begin(), plan.steps.end(), [](const Action& action) {
        return std::holds_alternative<HoldGuest>(action);
    });
    for (auto step = static_cast<size_t>(held - plan.steps.begin()); step < view.steps.size(); ++step)
        view.steps[step].guest_paused = true;
    if (plan.point_of_no_return < view.steps.size())
        view.steps[plan.point_of_no_return].point_of_no_return = true;
    return view;
}

} // namespace domsnap::plan
