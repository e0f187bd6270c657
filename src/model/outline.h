// What lists show of a snapshot: nothing of its disks' files and of its machine, which make up nearly all of
// a record. Enough to draw ten thousand of them, and too little to decide anything by.
#pragma once

#include "model/snapshot.h"

#include <cstdint>
#include <string>

namespace domsnap::model {

struct SnapshotOutline {
    std::string name, parent, description; ///< parent "" = root
    SnapshotState state = SnapshotState::no_state;
    Location memory = Location::omitted;
    bool external = false; ///< memory or one disk is
    int64_t creation_time = 0;
    bool operator==(const SnapshotOutline&) const = default;
};

SnapshotOutline outline_of(const Snapshot& snapshot);

} // namespace domsnap::model
