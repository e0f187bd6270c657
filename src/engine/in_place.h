// Going back in place: what the running QEMU allows, and what lies ready in it. The stop itself is
// steps_in_place.cpp's.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"

namespace domsnap::engine {

/// Whether the running QEMU's guest can become another; why not is a fact too.
void look_for_in_place(Session& session, plan::Facts& facts);
/// What lies ready, if it is still all there and of this QEMU and this image.
void look_for_warm(const Session& session, const model::SnapshotTree& tree, plan::Facts& facts);

/// The snapshot for which something lies ready in the running QEMU; "" = none.
std::string warm_snapshot(const View& view);
/// The overlays and the device state that lie ready in the running QEMU: nothing else needs them.
std::vector<std::string> ready_files(const View& view);

/// Both by plans of their own. make_warm throws conflict if the guest cannot go back in place.
void make_warm(Session& session, const model::SnapshotTree& tree, const std::string& snapshot);
void take_off_warm(Session& session, const model::SnapshotTree& tree);

/// Of a QEMU that has ended: the overlays that lay ready in it are removed.
void forget_warm(const View& view, const Control& control);
/// What a crash left of it: of a QEMU that has ended, as above; of one that runs, a device state that was used
/// up and not made ready again.
void tidy_warm(Session& session);

} // namespace domsnap::engine
