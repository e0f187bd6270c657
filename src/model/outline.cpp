#include "model/outline.h"

namespace domsnap::model {

SnapshotOutline outline_of(const Snapshot& snapshot) {
    return {.name = snapshot.name,
            .parent = snapshot.parent,
            .description = snapshot.description,
            .state = snapshot.state,
            .memory = snapshot.memory.location,
            .external = snapshot.external(),
            .creation_time = snapshot.creation_time};
}

} // namespace domsnap::model
