// The name that a snapshot was made under. Its internal snapshots, and the files that are named after it, keep that name
// when the snapshot is renamed. It is kept in the <cookie>, which libvirt leaves to whoever made the document: so it
// goes out with snapshot-dumpxml and comes back with --redefine (docs/snapshot-xml.md).
#pragma once

#include "model/snapshot.h"

#include <string>

namespace domsnap::model {

/// What the cookie says; else what a record's points say; else its present name.
std::string first_name(const Snapshot& snapshot);
/// Nothing is written where it is the present name.
void set_first_name(Snapshot& snapshot, const std::string& name);

} // namespace domsnap::model
