// Where a snapshot keeps something: the words of the snapshot= attributes.
#pragma once

#include <optional>
#include <string_view>

namespace domsnap::model {

enum class Location { omitted, no, internal, external, manual };

const char* to_string(Location location);                     ///< "omitted" is never written into XML
std::optional<Location> location_from(std::string_view word); ///< not "omitted"

/// What state the domain was in; libvirt's words.
enum class SnapshotState {
    no_state,
    running,
    blocked,
    paused,
    shutdown,
    shutoff,
    crashed,
    pmsuspended,
    disk_snapshot
};
const char* to_string(SnapshotState state);
std::optional<SnapshotState> snapshot_state_from(std::string_view word);

/// Whether QEMU was active at that moment and memory could be saved: running, blocked, paused, pmsuspended.
/// (libvirt reverts "shutdown" and "crashed" to a domain that is off; "disk-snapshot" has no memory by its
/// meaning.)
bool is_online(SnapshotState state);

} // namespace domsnap::model
