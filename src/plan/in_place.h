// What going back in place and preparing for it have in common. Private to the room.
#pragma once

#include "plan/revert_draft.h"

namespace domsnap::plan {

/// What lies ready for this very revert; nullptr if nothing does.
const WarmPoint* ready_for(const RevertDraft& draft);
/// The overlays (made by then, and named in the documents) as nodes over what the snapshot froze, and the
/// device state as a file that QEMU has open.
void plan_opening(RevertDraft& draft);
/// Whether one of our steps gave it its name.
bool is_node_of_ours(const Facts& facts, const std::string& node);

} // namespace domsnap::plan
