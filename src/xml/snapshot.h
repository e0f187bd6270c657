// <domainsnapshot>: its parser with libvirt's rules and words, and its alignment with a domain's disks.
// Formatting is model::to_element. What libvirt accepts is accepted; what it refuses is refused with an equal
// or better message.
#pragma once

#include "model/domain.h"
#include "model/snapshot.h"

#include <string>
#include <string_view>

namespace domsnap::xml {

struct SnapshotParseOptions {
    bool redefine = false;  ///< name, state, creationTime, parent, <domain> of the input count
    bool disk_only = false; ///< --disk-only
    bool record =
        false; ///< one of our own records: <domsnap:points> is read, nothing is refused that we wrote
};

/// Throws invalid_request in libvirt's words ("XML error: …", "unsupported configuration: …"), with "
/// (SOURCE, line N)" behind them unless source is "" or in parentheses; a damaged record is corrupt. In a
/// request state, creationTime, parent, domain, inactiveDomain, cookie and active are ignored; disk_only
/// turns an absent <memory> into "no". With redefine an absent <memory> follows from the state; an absent
/// <domain> is left to the caller ("missing domain in snapshot"), because old records lack it.
model::Snapshot parse_snapshot(std::string_view text, const SnapshotParseOptions& options,
                               const std::string& source);
model::Snapshot snapshot_from(const model::Element& root, const SnapshotParseOptions& options);

/// Defaults, as libvirt's virDomainSnapshotAlignDisks: every disk of the domain listed in the domain's order,
/// names resolved (a source path is replaced by its target), read-only and empty disks "no", the default
/// location for what was not said, a driver format checked. Does not generate file names (the planner's).
/// Throws in libvirt's words: no disk named, specified twice, file for disk requires use of external snapshot
/// mode, external snapshot format … unsupported.
void align_disks(model::Snapshot& snapshot, const model::Domain& domain, model::Location default_location);

/// What align_disks is to use where neither the request nor the domain says it: external for disk-only and
/// for external memory, and for a redefined snapshot of which one part is; else internal.
model::Location default_disk_location(const model::Snapshot& snapshot, bool disk_only);

/// Names the overlay of every external disk of an aligned snapshot that has none yet, by generated_overlay:
/// what libvirt prints for a redefined snapshot. (A plan chooses its names itself, with the files that exist
/// in view.) Throws "cannot generate external snapshot name for disk …".
void generate_overlays(model::Snapshot& snapshot, const model::Domain& domain);

/// The overlay's name as libvirt makes it: the last suffix of the file's name cut, then '.' and the
/// snapshot's name.
std::string generated_overlay(const std::string& source, const std::string& snapshot_name);

} // namespace domsnap::xml
