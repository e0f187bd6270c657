// request + facts + tree -> Plan. Pure: the same input gives the same plan, and a dry run prints the truth.
#pragma once

#include "model/snapshot.h"
#include "model/tree.h"
#include "plan/facts.h"
#include "plan/step.h"
#include "plan/table.h"

#include <domsnap/host.h>
#include <string>

namespace domsnap::plan {

/// The cell of the table that a request falls into. disk: the one kind that its disks name; a mixture counts
/// as its strongest (external over internal over no), and leaving out some disks is not yet leaving out all
/// of them.
Cell cell_of(const model::Snapshot& request, const CreateOptions& options, const model::Domain& domain,
             bool online);

/// Excluding flags, in libvirt's words; throws invalid_request.
void check_flags(const CreateOptions& options);
void check_flags(const RevertOptions& options);
void check_flags(const DeleteOptions& options);

/// request: parsed and aligned with the live domain's disks (every disk listed, locations resolved but for
/// names). Throws invalid_request/conflict/unsupported before anything is touched, naming disk, file or row.
Plan plan_create(model::Snapshot request, const CreateOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree);

Plan plan_revert(const std::string& snapshot, const RevertOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree);

/// Throws io if the host has not so much memory (bytes; 0 = nobody knows) for a copy of the image's RAM.
void check_room_for_copy(const std::string& image, uint64_t needed, uint64_t available);

/// Makes ready what going back in place to the snapshot begins with; no steps if it lies ready. Throws
/// conflict where the running QEMU cannot go back in place.
Plan plan_warm(const std::string& snapshot, const Facts& facts, const model::SnapshotTree& tree);
/// Takes away what lies ready; no steps if nothing does.
Plan plan_warm_off(const Facts& facts);

Plan plan_delete(const std::string& snapshot, const DeleteOptions& options, const Facts& facts,
                 const model::SnapshotTree& tree);

/// The plan in words, for --dry-run.
PlanView describe(const Plan& plan);

} // namespace domsnap::plan
