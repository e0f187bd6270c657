// Host: new domains that begin where a snapshot of another one ended.
#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/forks.h"
#include "engine/new_identity.h"
#include "engine/observe.h"
#include "engine/runner.h"
#include "plan/fork.h"
#include "xml/document.h"

#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

using namespace engine;

namespace {

constexpr unsigned most_forks = 1000;

/// NEW, or NEW-1 … NEW-N.
std::vector<std::string> names_of(const std::string& name, const ForkOptions& options) {
    if (!options.count) return {name};
    if (*options.count == 0 || *options.count > most_forks)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("--count {}: between 1 and {} forks can be made at once", *options.count,
                                most_forks));
    std::vector<std::string> names;
    for (unsigned i = 1; i <= *options.count; ++i)
        names.push_back(fmt::format("{}-{}", name, i));
    return names;
}

void check_name(const Folders& folders, const std::string& name) {
    model::check_domain_name(name);
    if (!store::DomainFolder(folders.state, name).defined()) return;
    throw Error(ErrorCode::conflict,
                fmt::format("operation failed: domain '{}' already exists", text::printable(name)),
                "give the fork another name, or undefine that one first");
}

std::vector<plan::Plan> plans_of(const Session& origin, const std::vector<std::string>& names,
                                 const std::string& snapshot, const ForkOptions& options,
                                 const plan::Facts& facts, const model::SnapshotTree& tree) {
    NewIdentities identities(origin.folders());
    std::vector<plan::Plan> plans;
    auto taken = facts.taken;
    for (const auto& name : names)
        plans.push_back(plan::plan_fork(snapshot, options, identities.draw(name, tree.get(snapshot)), facts,
                                        tree, taken));
    return plans;
}

void make_fork(const Session& origin, const plan::Plan& plan) {
    const auto& text = std::get<plan::PutDefinition>(plan.steps.front()).text;
    Session fork(origin.folders(), parse_domain(text, plan.domain), "snapshot-fork", origin.control());
    try {
        run_plan(*real_world(fork), plan, fork.folder().journal(), origin.control());
    } catch (const Error&) {
        if (!fork.folder().defined()) fork.folder().remove(); // all was taken back but the empty folder
        throw;
    }
}

/// Those that were made before one failed.
void take_back(Host& host, const std::vector<std::string>& made, const Control& control) {
    Host::UndefineOptions all;
    all.nvram = all.tpm = true;
    for (const auto& name : made) {
        try {
            if (host.info(name).active()) host.destroy(name);
            host.undefine(name, all);
        } catch (const Error& error) {
            control.warn(fmt::format("fork '{}' stays: {}", text::printable(name), error.what()));
        }
    }
}

} // namespace

ForkResult Host::snapshot_fork(const std::string& domain, const std::string& snapshot,
                               const std::string& name, const ForkOptions& options, const Control& control) {
    if (options.paused && !options.start)
        throw Error(ErrorCode::invalid_request, "--paused is required to come with --start");
    const auto names = names_of(name, options);
    // Held to the end: nobody deletes the snapshot meanwhile.
    Session origin(folders_, resolve_name(folders_, domain), "snapshot-fork", control);
    for (const auto& one : names)
        check_name(folders_, one);
    const auto tree = origin.snapshots();
    const auto facts = observe_for_revert(origin, tree, tree.get(snapshot));
    const auto plans = plans_of(origin, names, snapshot, options, facts, tree);
    ForkResult result{names, {}};
    for (const auto& plan : plans)
        result.plans.push_back(plan::describe(plan));
    if (options.dry_run) return result;
    for (const auto& warning : plans.front().warnings)
        control.warn(warning);
    std::vector<std::string> made;
    for (const auto& plan : plans) {
        try {
            if (control.cancelled())
                throw Error(ErrorCode::cancelled, "snapshot-fork was cancelled; no fork is left");
            make_fork(origin, plan);
        } catch (const Error&) {
            take_back(*this, made, control);
            throw;
        }
        made.push_back(plan.domain);
    }
    return result;
}

} // namespace domsnap
