// snapshot-warm: what a revert in place begins with is made ahead, and lies ready in the running QEMU.
#include "base/error.h"
#include "plan/in_place.h"
#include "plan/points.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::plan {

using Json = nlohmann::json;

namespace {

/// Format: docs/formats/warm.md.
std::string warm_text(const RevertDraft& draft) {
    Json overlays = Json::array();
    for (const auto& [target, image] : draft.overlays)
        overlays.push_back({{"target", target}, {"node", image.node}, {"path", image.path}});
    const Json warm{{"version", 1},
                    {"process", draft.facts.in_place->process},
                    {"snapshot", draft.snapshot.name},
                    {"image", draft.facts.images.at(draft.snapshot.memory.file).hash},
                    {"state", {{"node", draft.state.node}, {"path", draft.state.path}}},
                    {"overlays", overlays}};
    return warm.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Plan empty_plan(const std::string& name, const Facts& facts) {
    Plan plan;
    plan.operation = "snapshot-warm";
    plan.domain = facts.definition.name;
    plan.uuid = facts.definition.uuid;
    plan.snapshot = name;
    plan.guest = "The guest runs on.";
    return plan;
}

/// Nodes of ours that no device uses: those above others first, since QEMU closes none that another rests on.
std::vector<ClosedNode> idle_nodes(const Facts& facts) {
    std::set<std::string> used;
    for (const auto& disk : facts.disks)
        used.insert(disk.nodes.begin(), disk.nodes.end());
    std::vector<ClosedNode> idle;
    for (const auto& [path, node] : facts.open_nodes)
        if (!used.contains(node) && is_node_of_ours(facts, node)) idle.push_back({node, path});
    std::stable_sort(idle.begin(), idle.end(), [&](const ClosedNode& a, const ClosedNode& b) {
        return chain_from(facts.files, a.path).size() > chain_from(facts.files, b.path).size();
    });
    return idle;
}

} // namespace

Plan plan_warm(const std::string& name, const Facts& facts, const model::SnapshotTree& tree) {
    const RevertOptions options;
    RevertDraft draft = begin_revert(name, options, facts, tree);
    draft.plan = empty_plan(name, facts);
    if (!draft.in_place())
        throw Error(ErrorCode::conflict,
                    fmt::format("domain '{}' cannot go back to snapshot '{}' in place: {}",
                                facts.definition.name, name, draft.why_not_in_place),
                    "nothing was made ready; snapshot-revert goes by a new process");
    if (ready_for(draft)) return draft.plan;
    plan_disks(draft);
    plan_opening(draft);
    draft.plan.steps.push_back(PutWarm{warm_text(draft), ""});
    draft.plan.point_of_no_return = draft.plan.clean_up = static_cast<uint32_t>(draft.plan.steps.size());
    return std::move(draft.plan);
}

Plan plan_warm_off(const Facts& facts) {
    if (!facts.warm) return empty_plan("", facts);
    Plan plan = empty_plan(facts.warm->snapshot, facts);
    plan.steps.push_back(PutWarm{"", facts.warm->text});
    plan.point_of_no_return = plan.clean_up = 1;
    plan.steps.push_back(CloseNodes{idle_nodes(facts)});
    for (const auto& [target, image] : facts.warm->overlays)
        plan.steps.push_back(RemoveFile{image.path, "overlay that nobody wrote to"});
    plan.steps.push_back(RemoveFile{facts.warm->state_path, "device state"});
    return plan;
}

} // namespace domsnap::plan
