// Plan <-> JSON, for the journal. Format: docs/formats/journal.md ("The plan").
#include "base/error.h"
#include "plan/step.h"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

namespace domsnap::plan {

using Json = nlohmann::json;

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MakeOverlay, path, backing, backing_format, size)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CopyImage, from, to)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReserveImage, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AddNode, node, path, format)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OverlaySwitch, target, device, base_node, base_path, base_format,
                                   overlay_node, overlay_path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InternalPoint, target, node, path, tag)
// With defaults: a journal of before there were `mapped` and `streamed` is read.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SwitchDisks, overlays, internals, image, parent, background,
                                                was_running, read, mapped)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AwaitCapture, image, was_running, streamed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MakeHolder, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SaveInternal, job, tag, vmstate_node, disks, overlays, was_running, read)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KeepFile, from, to, role, in_stop)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutBack, kept, file, role)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CopyState, from, to, role)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutFork, text, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DropNode, node)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CreateInternal, path, tag)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeleteInternal, path, tag, node, job)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ApplyInternal, path, tag)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutDefinition, text, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutLive, text, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutRecord, name, text, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RemoveRecord, name, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SetCurrent, name, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TryOut, text, image)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PrepareGuest, text, ram, image, tmpfs)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EndGuest, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KillGuest, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StartGuest, from, text, image, tag, vmstate_target, targets, paused,
                                   at_once, mapped, tmpfs, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OpenedImage, target, node, path, format, below, read_only)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OpenImages, images)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PrepareState, image, path, node, flash)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PutWarm, text, old)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DriveSwitch, target, device, drive, node, path, backing, backing_format,
                                   size)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RewindGuest, image, state_node, drives, was_running, otherwise, kept)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClosedNode, node, path)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CloseNodes, nodes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Merge, target, child, child_format, base, base_format, device, top_node,
                                   base_node, job)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CommitActive, target, child, child_format, base, base_format, top_node,
                                   base_node, job, live, definition)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Pull, target, path, format, base, backing, backing_format, node, base_node,
                                   backing_node, job)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Rebase, path, format, backing, backing_format)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FoldImage, path, parent, fresh)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RemoveFile, path, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FrozenFile, path, format, anew)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NoteFrozen, files)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HoldGuest, reason, old)
static void to_json(Json& json, const TakeImages&) { json = Json::object(); }
static void from_json(const Json&, TakeImages&) {}
static void to_json(Json& json, const ResumeGuest&) { json = Json::object(); }
static void from_json(const Json&, ResumeGuest&) {}
static void to_json(Json& json, const AwaitEnd&) { json = Json::object(); }
static void from_json(const Json&, AwaitEnd&) {}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FreezeGuest, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ThawGuest, seconds)

namespace {

/// The journal's name for each kind of step, in the variant's order. Names are forever; the order may change.
constexpr const char* kinds[] = {
    "make-overlay",   "copy-image",    "reserve-image",   "add-node",        "switch-disks",
    "await-capture",  "save-internal", "create-internal", "delete-internal", "apply-internal",
    "put-definition", "put-live",      "put-record",      "remove-record",   "set-current",
    "try-out",        "end-guest",     "start-guest",     "merge",           "rebase",
    "remove-file",    "make-holder",   "drop-node",       "commit-active",   "pull",
    "note-frozen",    "hold-guest",    "freeze-guest",    "thaw-guest",      "prepare-guest",
    "keep-file",      "put-back",      "take-images",     "fold-image",      "open-images",
    "prepare-state",  "put-warm",      "rewind-guest",    "close-nodes",     "copy-state",
    "put-fork",       "resume-guest",  "kill-guest",      "await-end"};
static_assert(std::size(kinds) == std::variant_size_v<Action>);

template <size_t... I>
Action read_action(size_t kind, const Json& json, std::index_sequence<I...>) {
    Action action;
    ((kind == I ? (action = json.get<std::variant_alternative_t<I, Action>>(), 0) : 0), ...);
    return action;
}

Json write_action(const Action& action) {
    Json json = std::visit([](const auto& step) { return Json(step); }, action);
    json["step"] = kind_of(action);
    return json;
}

Action parse_action(const Json& json) {
    const auto name = json.at("step").get<std::string>();
    for (size_t kind = 0; kind < std::size(kinds); ++kind)
        if (name == kinds[kind]) return read_action(kind, json, std::make_index_sequence<std::size(kinds)>());
    throw Error(ErrorCode::unsupported,
                fmt::format("the journal holds a step '{}': it was written by a newer domsnap", name));
}

} // namespace

const char* kind_of(const Action& action) { return kinds[action.index()]; }

std::string to_json(const Plan& plan) {
    Json steps = Json::array();
    for (const Action& action : plan.steps)
        steps.push_back(write_action(action));
    return Json{{"plan", 1},
                {"operation", plan.operation},
                {"domain", plan.domain},
                {"uuid", plan.uuid},
                {"snapshot", plan.snapshot},
                {"point_of_no_return", plan.point_of_no_return},
                {"clean_up", plan.clean_up},
                {"steps", std::move(steps)}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Plan plan_from_json(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        if (json.at("plan").get<int>() != 1)
            throw Error(ErrorCode::unsupported, "the journal's plan was written by a newer domsnap");
        Plan plan{json.at("operation"),
                  json.at("domain"),
                  json.at("uuid"),
                  json.at("snapshot"),
                  {},
                  json.at("point_of_no_return"),
                  json.at("clean_up"),
                  {},
                  0,
                  {},
                  {}};
        for (const Json& step : json.at("steps"))
            plan.steps.push_back(parse_action(step));
        return plan;
    } catch (const Json::exception& e) {
        throw Error(ErrorCode::corrupt, fmt::format("the journal's plan cannot be read: {}", e.what()));
    }
}

} // namespace domsnap::plan
