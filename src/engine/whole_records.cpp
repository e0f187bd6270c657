#include "engine/whole_records.h"

#include <set>

namespace domsnap::engine {

static std::set<std::string> records_of(const plan::Plan& plan) {
    std::set<std::string> names;
    for (const auto& action : plan.steps)
        if (const auto* put = std::get_if<plan::PutRecord>(&action))
            names.insert(put->name);
        else if (const auto* removed = std::get_if<plan::RemoveRecord>(&action))
            names.insert(removed->name);
    return names;
}

model::SnapshotTree heads_and(const View& view, const std::string& snapshot) {
    auto tree = view.snapshot_heads();
    tree.get(snapshot);
    tree.replace(view.snapshot(snapshot));
    return tree;
}

plan::Plan plan_with_whole_records(const View& view, model::SnapshotTree& tree,
                                   const std::function<plan::Plan()>& make_plan) {
    for (;;) {
        auto plan = make_plan();
        bool whole = true;
        for (const auto& name : records_of(plan)) {
            const auto* record = tree.find(name);
            if (!record || !record->head_only) continue;
            tree.replace(view.snapshot(name));
            whole = false;
        }
        if (whole) return plan;
    }
}

} // namespace domsnap::engine
