// Records that users give or edit: checked as libvirt does, without touching any image.
#pragma once

#include "engine/session.h"

#include <string>

namespace domsnap::engine {

/// --redefine: writes (or replaces) a record. Returns its name. Throws in libvirt's words: no name, no
/// <domain>, another uuid, an unknown parent, a parent that would make a cycle.
std::string redefine(Session& session, model::Snapshot snapshot, bool current);

/// What each disk was frozen in, for records that come without: the source that <domain> names. It must be
/// there.
void derive_points(model::Snapshot& snapshot);

/// snapshot-edit: old becomes edited, under the same or another name.
std::string edit(Session& session, const model::Snapshot& old, model::Snapshot edited, bool rename,
                 bool clone);

} // namespace domsnap::engine
