// Host: what lies ready for going back in place.
#include "base/text.h"
#include "engine/in_place.h"
#include "engine/mapped_image.h"
#include "engine/observe.h"
#include "engine/runner.h"
#include "engine/verbs.h"
#include "engine/whole_records.h"
#include "plan/planner.h"

#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

namespace engine {

static void run(Session& session, const plan::Plan& plan) {
    if (plan.steps.empty()) return;
    const auto world = real_world(session);
    run_plan(*world, plan, session.folder().journal(), session.control());
}

static plan::Plan warm_plan(Session& session, const model::SnapshotTree& tree, const std::string& snapshot) {
    return plan::plan_warm(snapshot, observe_for_revert(session, tree, tree.get(snapshot)), tree);
}

void make_warm(Session& session, const model::SnapshotTree& tree, const std::string& snapshot) {
    run(session, warm_plan(session, tree, snapshot));
}

void take_off_warm(Session& session, const model::SnapshotTree& tree) {
    if (!warm_snapshot(session).empty()) run(session, plan::plan_warm_off(observe_warm(session, tree)));
}

} // namespace engine

using namespace engine;

namespace {

/// Whether the guest's RAM is what was asked for already. A copy is as good as the file.
bool is_mapped_as_asked(const View& view, const std::string& image, const WarmOptions& options) {
    const auto ram = mapped_ram(view);
    return ram && (ram->copy || !options.tmpfs) && is_mapped_from(*ram, image);
}

void warn_of_copy(const Session& session) {
    if (const auto ram = mapped_ram(session); ram && ram->copy)
        session.control().warn(fmt::format(
            "the guest's RAM stays a mapping of its copy on tmpfs ({}), until it ends or goes back by a "
            "new process (snapshot-revert --new-process)",
            text::human_size(session.live().memory)));
}

/// That the guest can be warm is known by then: no guest is dropped for nothing.
PlanView go_over_to_mapped(Session& session, const std::string& snapshot, const WarmOptions& options) {
    RevertOptions revert;
    revert.mapped = true;
    revert.tmpfs = options.tmpfs;
    revert.dry_run = options.dry_run;
    if (!options.dry_run) revert.save = options.save;
    auto view = engine::revert(session, snapshot, revert).plan;
    view.afterwards.push_back("what the next revert begins with is made ready then");
    session.reload();
    return view;
}

} // namespace

PlanView Host::snapshot_warm(const std::string& domain, const std::string& snapshot,
                             const WarmOptions& options, const Control& control) {
    Session session(folders_, resolve_name(folders_, domain), "snapshot-warm", control);
    session.running_process();
    const auto tree = options.off ? session.snapshot_heads() : heads_and(session, snapshot);
    const auto warm = warm_snapshot(session);
    auto plan =
        options.off ? plan::plan_warm_off(observe_warm(session, tree)) : warm_plan(session, tree, snapshot);
    const bool mapped = options.mapped || options.tmpfs;
    if (mapped && !is_mapped_as_asked(session, tree.get(snapshot).memory.file, options)) {
        auto view = go_over_to_mapped(session, snapshot, options);
        if (!options.dry_run) make_warm(session, heads_and(session, snapshot), snapshot);
        return view;
    }
    if (options.dry_run) return plan::describe(plan);
    // Another's goes first, but only once it is known that this one can be had.
    if (!options.off && !warm.empty() && warm != snapshot) {
        take_off_warm(session, tree);
        plan = warm_plan(session, tree, snapshot);
    }
    run(session, plan);
    if (options.off) warn_of_copy(session);
    return plan::describe(plan);
}

} // namespace domsnap
