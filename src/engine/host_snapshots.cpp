// Host: snapshots made and deleted, looked through, mended.
#include "base/error.h"
#include "base/text.h"
#include "engine/finish.h"
#include "engine/forks.h"
#include "engine/freeze.h"
#include "engine/guest.h"
#include "engine/huge_pages.h"
#include "engine/in_place.h"
#include "engine/observe.h"
#include "engine/others.h"
#include "engine/pages.h"
#include "engine/redefine.h"
#include "engine/runner.h"
#include "engine/saving.h"
#include "engine/verbs.h"
#include "engine/verify.h"
#include "engine/whole_records.h"
#include "os/file.h"
#include "plan/planner.h"
#include "store/journal.h"
#include "xml/snapshot.h"
#include "xml/validate.h"

#include <algorithm>
#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

using namespace engine;

namespace {

void validate_snapshot(const std::string& xml) {
    const auto schema = xml::find_schema("domainsnapshot");
    if (schema.empty())
        throw Error(ErrorCode::not_found, "the schema domainsnapshot.rng is not installed",
                    "set DOMSNAP_SCHEMA_DIR");
    xml::require_valid(xml, "(domain_snapshot)", schema);
}

std::vector<NamedFile> named_files(const model::Snapshot& request) {
    std::vector<NamedFile> files;
    if (!request.memory.file.empty()) files.push_back({request.memory.file, {}});
    for (const auto& disk : request.disks)
        if (!disk.source.empty()) files.push_back({disk.source, disk.driver.empty() ? "qcow2" : disk.driver});
    return files;
}

/// The request with every default that the table and the domain's disks give.
model::Snapshot resolve(model::Snapshot request, const CreateOptions& options, const plan::Facts& facts) {
    const auto cell = plan::cell_of(request, options, facts.live, facts.online());
    const auto& outcome = plan::look_up(cell);
    if (!outcome.valid())
        throw Error(
            ErrorCode::invalid_request, outcome.refusal,
            fmt::format("the domain is {}, memory '{}', disks '{}', --disk-only {}: see 'domsnap table'",
                        cell.online ? "active" : "off", model::to_string(cell.memory),
                        model::to_string(cell.disk), cell.disk_only ? "given" : "not given"));
    request.memory.location = outcome.memory;
    xml::align_disks(request, facts.live, outcome.disk);
    return request;
}

bool has_switch(const plan::Plan& plan, bool (*is_so)(const plan::SwitchDisks&)) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Action& step) {
        const auto* change = std::get_if<plan::SwitchDisks>(&step);
        return change && is_so(*change);
    });
}

bool saves_while_running(const plan::Plan& plan) {
    return has_switch(plan, [](const plan::SwitchDisks& change) { return change.is_live(); });
}

bool protects_ram(const plan::Plan& plan) {
    return has_switch(plan, [](const plan::SwitchDisks& change) { return change.background; });
}

/// As finish(), but that another process waits for the guest's memory. False if that was not to be.
bool finish_behind(Session& session, const plan::Plan& plan) {
    for (const auto& warning : plan.warnings)
        session.control().warn(warning);
    const auto world = real_world(session);
    if (!run_plan_to_capture(*world, plan, session.folder().journal(), session.control())) return false;
    try {
        hand_over(session);
        return true;
    } catch (const Error& error) {
        session.control().warn(fmt::format("it is waited for, because nobody else can: {}", error.what()));
    }
    continue_plan(*world, session.folder().journal(), session.control());
    return false;
}

} // namespace

std::string combination_table() { return plan::table_text(); }

namespace engine {

void finish(const Session& session, const plan::Plan& plan, World& world, const Control& control) {
    for (const auto& warning : plan.warnings)
        control.warn(warning);
    try {
        run_plan(world, plan, session.folder().journal(), control);
    } catch (const Error& error) {
        note_failed_capture(session, plan, error);
        throw;
    }
}

CreateResult create(Session& session, model::Snapshot request, const CreateOptions& options) {
    refuse_waiting(session, "snapshot-create");
    const bool takes_memory = !options.disk_only && request.memory.location != model::Location::no;
    if (takes_memory && !options.dry_run) wait_for_pages(session, "snapshot-create");
    const auto tree = session.snapshot_heads();
    auto facts = observe_for_create(session, tree, named_files(request));
    if (options.quiesce) look_at_agent(session, facts);
    const auto plan = plan::plan_create(resolve(std::move(request), options, facts), options, facts, tree);
    CreateResult result{plan.snapshot, plan::describe(plan)};
    if (options.dry_run) return result;
    if (protects_ram(plan)) shorten_the_stop(session);
    if (!options.wait && saves_while_running(plan))
        result.saving = finish_behind(session, plan);
    else
        finish(session, plan, *real_world(session), session.control());
    return result;
}

PlanView erase(Session& session, const std::string& snapshot, const DeleteOptions& options) {
    if (const auto fork = fork_of(session.folder()); fork && fork->adopted() && !options.metadata)
        refuse_waiting(session, "snapshot-delete"); // a merge writes to the disks
    auto tree = session.snapshot_heads();
    tree.get(snapshot);
    if (!options.dry_run) wait_for_pages(session, "snapshot-delete"); // it may remove what is loaded from
    if (!options.dry_run) take_off_warm(session, tree);               // or merge what overlays lie ready on
    auto facts = observe_for_delete(session, tree, snapshot, options);
    const auto make_plan = [&] { return plan::plan_delete(snapshot, options, facts, tree); };
    const auto plan =
        plan_beside_others(session, facts, [&] { return plan_with_whole_records(session, tree, make_plan); });
    if (!options.dry_run) finish(session, plan, *real_world(session), session.control());
    return plan::describe(plan);
}

} // namespace engine

CreateResult Host::snapshot_create(const std::string& domain, const std::string& xml,
                                   const CreateOptions& options, const Control& control) {
    plan::check_flags(options);
    if (options.validate) validate_snapshot(xml);
    auto request = xml::parse_snapshot(
        xml, {.redefine = options.redefine, .disk_only = options.disk_only, .record = false},
        "(domain_snapshot)");
    Session session(folders_, resolve_name(folders_, domain), "snapshot-create", control);
    if (options.redefine) return {redefine(session, std::move(request), options.current), {}};
    return create(session, std::move(request), options);
}

PlanView Host::snapshot_delete(const std::string& domain, const std::string& snapshot,
                               const DeleteOptions& options, const Control& control) {
    plan::check_flags(options);
    Session session(folders_, resolve_name(folders_, domain), "snapshot-delete", control);
    return erase(session, snapshot, options);
}

std::string Host::unfinished(const std::string& domain) const {
    const store::DomainFolder folder(folders_.state, resolve_name(folders_, domain));
    if (!os::exists(folder.journal())) return {};
    const auto lock = os::FileLock::try_take(folder.lock_path(), os::LockMode::shared, {});
    if (!lock) return {};
    const auto journal = store::load_journal(folder.journal());
    if (!journal) return {};
    const auto plan = plan::plan_from_json(journal->plan);
    return fmt::format(
        "{} of '{}' was cut short: 'domsnap recover {}', or the next command that changes '{}', "
        "finishes it or takes it back",
        plan.operation, text::printable(plan.snapshot), folder.name(), folder.name());
}

VerifyResult Host::snapshot_verify(const std::string& domain, const std::string& snapshot,
                                   const VerifyOptions& options, const Control& control) {
    Session session(folders_, resolve_name(folders_, domain), "snapshot-verify", control);
    return Verifier(session, options).run(snapshot);
}

std::vector<std::string> Host::recover(const std::string& domain, const Control& control) {
    std::vector<std::string> lines;
    Control collect = control;
    const auto names =
        domain.empty() ? store::domain_names(folders_.state) : std::vector{resolve_name(folders_, domain)};
    for (const auto& name : names) {
        collect.warning = [&](const std::string& line) {
            lines.push_back(fmt::format("{}: {}", name, line));
        };
        try {
            const Session session(folders_, name, "recover", collect); // opening it does the work
        } catch (const Error& error) {                                 // a fork that was taken back is gone
            if (error.code() != ErrorCode::not_found || store::DomainFolder(folders_.state, name).defined())
                throw;
        }
    }
    if (!domain.empty()) return lines;
    store::remove_unfinished_domains(folders_.state);
    os::remove_unfinished(cache_folder(folders_)); // who writes there now asks QEMU once more
    return lines;
}

} // namespace domsnap
