// The steps of one merge of two neighbours in a chain: content moves, then whatever named the file that goes
// is pointed at the one that stays. Which two, and in which direction, plan/collect.cpp has decided.
#pragma once

#include "plan/collect.h"

namespace domsnap::plan {

/// The child's content goes down into its base, and the child's file goes. The older name stays.
void plan_commit(Collection& collection, const std::string& child, const std::string& base);
/// The base's content comes up into its child, and the base's file goes.
void plan_pull(Collection& collection, const std::string& child, const std::string& base);

} // namespace domsnap::plan
