// Host: snapshots gone back to.
#include "base/error.h"
#include "engine/forks.h"
#include "engine/in_place.h"
#include "engine/observe.h"
#include "engine/others.h"
#include "engine/pages.h"
#include "engine/verbs.h"
#include "engine/whole_records.h"
#include "memory/save_file.h"
#include "os/file.h"
#include "plan/planner.h"

#include <algorithm>
#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

namespace engine {

namespace {

void check_mapped(const model::Snapshot& snapshot) {
    if (memory::SaveFile::is_one(snapshot.memory.file))
        throw Error(ErrorCode::invalid_request,
                    fmt::format("--mapped: {} cannot be mapped, because libvirt saved it as a stream",
                                snapshot.memory.file),
                    "revert without it");
}

plan::Plan revert_plan(Session& session, const std::string& snapshot, const RevertOptions& options) {
    refuse_waiting(session, "snapshot-revert");
    auto tree = heads_and(session, snapshot);
    if (options.mapped) check_mapped(tree.get(snapshot));
    auto facts = observe_for_revert(session, tree, tree.get(snapshot));
    const auto make_plan = [&] { return plan::plan_revert(snapshot, options, facts, tree); };
    return plan_beside_others(session, facts,
                              [&] { return plan_with_whole_records(session, tree, make_plan); });
}

bool uses_what_lay_ready(const plan::Plan& plan) {
    return std::any_of(plan.steps.begin(), plan.steps.end(),
                       [](const plan::Action& step) { return std::holds_alternative<plan::PutWarm>(step); });
}

std::string way_of(const plan::StartGuest& start) {
    if (start.from != plan::StartGuest::From::memory) return "new process";
    if (start.mapped)
        return start.tmpfs ? "new process, memory mapped on tmpfs" : "new process, memory mapped";
    return start.at_once ? "new process, memory as it is needed" : "new process, memory first";
}

void describe_end(RevertResult& result, const plan::StartGuest& start, bool in_place) {
    result.state = start.paused ? DomainState::paused : DomainState::running;
    result.way = in_place ? "in place" : way_of(start);
}

/// A second time costs as little as the first: what was used up is made ready again, while the guest runs.
void make_warm_again(Session& session, const std::string& snapshot) {
    try {
        session.reload();
        make_warm(session, heads_and(session, snapshot), snapshot);
    } catch (const Error& error) {
        session.control().warn(fmt::format("snapshot '{}' is not warm any more: {}", snapshot, error.what()));
    }
}

RevertResult go_back(Session& session, const std::string& snapshot, const RevertOptions& options) {
    const auto plan = revert_plan(session, snapshot, options);
    RevertResult result{plan::describe(plan), DomainState::shutoff, "offline"};
    const auto before = session.process();
    if (!options.dry_run) finish(session, plan, *real_world(session), session.control());
    const bool same_process = before && session.process() == before;
    for (const auto& step : plan.steps) {
        if (const auto* start = std::get_if<plan::StartGuest>(&step)) describe_end(result, *start, false);
        if (const auto* rewind = std::get_if<plan::RewindGuest>(&step))
            describe_end(result, rewind->otherwise, same_process);
    }
    if (uses_what_lay_ready(plan) && same_process && !options.dry_run) make_warm_again(session, snapshot);
    return result;
}

/// All that a revert would drop: the memory of what is active, and each disk that snapshots are taken of. The
/// external way is open to every disk, and does not stop the guest for its memory.
model::Snapshot request_to_save(const Session& session, const std::string& name) {
    model::Snapshot request;
    request.name = name;
    if (session.process()) request.memory.location = model::Location::external;
    for (const auto& disk : session.live().disks) {
        if (disk.empty() || disk.defaults_to_no() || disk.snapshot) continue;
        model::SnapshotDisk external;
        external.name = disk.target;
        external.location = model::Location::external;
        request.disks.push_back(std::move(external));
    }
    request.has_disks = true;
    return request;
}

/// A revert that failed and was taken back leaves no snapshot behind either.
void take_back_saved(Session& session, const std::string& name) {
    if (os::exists(session.folder().journal()) || session.folder().current() != name) return;
    try {
        erase(session, name, {});
    } catch (const Error& error) {
        session.control().warn(fmt::format("snapshot '{}' stays: {}", name, error.what()));
    }
}

RevertResult save_and_revert(Session& session, const std::string& snapshot, const RevertOptions& options) {
    revert_plan(session, snapshot, options); // what stands in its way is said before anything is saved
    create(session, request_to_save(session, options.save), {});
    session.reload();
    try {
        return go_back(session, snapshot, options);
    } catch (const Error&) {
        session.reload();
        take_back_saved(session, options.save);
        throw;
    }
}

} // namespace

RevertResult revert(Session& session, const std::string& snapshot, const RevertOptions& options) {
    return options.save.empty() ? go_back(session, snapshot, options)
                                : save_and_revert(session, snapshot, options);
}

} // namespace engine

using namespace engine;

RevertResult Host::snapshot_revert(const std::string& domain, const std::string& snapshot,
                                   const RevertOptions& options, const Control& control) {
    plan::check_flags(options);
    Session session(folders_, resolve_name(folders_, domain), "snapshot-revert", control);
    return revert(session, snapshot, options);
}

} // namespace domsnap
