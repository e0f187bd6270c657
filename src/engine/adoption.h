// What libvirt has of one domain, held against its files: what domsnap would know of it, and what cannot be
// taken and why. Only looks. All or nothing: a snapshot that is left behind would lose its files to the first
// revert past it.
#pragma once

#include "engine/libvirt_files.h"
#include "model/domain.h"
#include "model/fork.h"
#include "model/snapshot.h"
#include "plan/facts.h"
#include "plan/step.h"

#include <domsnap/adopt.h>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace domsnap::engine {

struct Adoption {
    model::Domain definition;
    std::vector<model::Snapshot> snapshots; ///< with their points
    std::string current;                    ///< "" = none
    std::vector<plan::FrozenFile> frozen;   ///< what the ledger is to know
    std::optional<model::Fork> saved;       ///< libvirt saved its memory for the next start
    /// Small files of libvirt's, and bigger ones, that domsnap has copies of: from, to.
    std::vector<std::pair<std::string, std::string>> copies;
    AdoptResult result; ///< in words; not good(): nothing may be taken
};

/// Memory is read to its end. together: libvirt's names of the domains that are adopted in the same command.
/// Throws not_found, cancelled; everything else is a problem in the result.
Adoption look_at_libvirt(const Folders& folders, const LibvirtFiles& libvirt, const std::string& domain,
                         const std::set<std::string>& together, const Control& control);

} // namespace domsnap::engine
