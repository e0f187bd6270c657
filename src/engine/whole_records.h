// Plans are made of records' heads: nine tenths of a record is the domain, which hardly any plan needs. Those records
// that a plan writes anew are read whole.
#pragma once

#include "engine/session.h"
#include "plan/step.h"

#include <functional>
#include <string>

namespace domsnap::engine {

/// make_plan, which sees the tree, is asked again once the records that its plan writes or removes are whole there. What
/// it plans does not depend on them; the texts in it do.
plan::Plan plan_with_whole_records(const View& view, model::SnapshotTree& tree,
                                   const std::function<plan::Plan()>& make_plan);

/// The tree of heads, and that one record whole. Throws not_found if there is none.
model::SnapshotTree heads_and(const View& view, const std::string& snapshot);

} // namespace domsnap::engine
