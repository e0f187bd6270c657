// The cell of the RFC's table that a request falls into.
#include "plan/planner.h"

#include <algorithm>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;
using model::SnapshotDisk;

static Location asked_location(const SnapshotDisk& disk) {
    if (disk.location == Location::manual) return Location::external;
    return disk.location == Location::omitted && !disk.source.empty() ? Location::external : disk.location;
}

/// True if a disk that could be saved is not spoken of: its default decides.
static bool leaves_some_open(const Snapshot& request, const model::Domain& domain) {
    return std::any_of(domain.disks.begin(), domain.disks.end(), [&](const model::Disk& disk) {
        const auto speaks_of_it = [&](const SnapshotDisk& d) {
            return domain.find_disk(d.name) == &disk && d.location != Location::omitted;
        };
        return !disk.defaults_to_no() && disk.snapshot != Location::no &&
               std::none_of(request.disks.begin(), request.disks.end(), speaks_of_it);
    });
}

Cell cell_of(const Snapshot& request, const CreateOptions& options, const model::Domain& domain,
             bool online) {
    Cell cell{online, request.memory.location, Location::omitted, options.disk_only};
    const auto strength = [](Location l) {
        return l == Location::external ? 3 : l == Location::internal ? 2 : l == Location::no ? 1 : 0;
    };
    for (const auto& disk : request.disks)
        if (const Location location = asked_location(disk); strength(location) > strength(cell.disk))
            cell.disk = location;
    if (cell.disk == Location::no && leaves_some_open(request, domain)) cell.disk = Location::omitted;
    return cell;
}

} // namespace domsnap::plan
