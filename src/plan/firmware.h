// The NVRAM and the TPM's state in snapshots. Both are small files: each snapshot keeps a copy, taken in the
// one stop, and each revert puts it back. (Overlays would make what the guest uses a file of another name
// after each snapshot, and a copy of half a MiB costs less than their metadata.)
#pragma once

#include "plan/create_draft.h"

#include <string>
#include <vector>

namespace domsnap::plan {

/// Names the copies, completes the record, and says what is to be copied.
void plan_keeping(CreateDraft& draft);
/// The files that are read in the one stop.
std::vector<std::string> read_in_stop(const CreateDraft& draft);

/// What a revert puts back for a domain that becomes as the document says. Throws conflict if a copy is
/// missing.
std::vector<PutBack> put_backs(const model::Snapshot& snapshot, const model::Domain& becomes,
                               const RevertOptions& options, const Facts& facts);
/// Content that the guest would find later than all the rest, because the record does not hold it.
std::vector<std::string> firmware_warnings(const model::Snapshot& snapshot, const Facts& facts);

} // namespace domsnap::plan
