// A domain that comes with its snapshots. A domain is when its definition is there: what is put into its
// folder before counts for nothing until then, so that a crash leaves all of it or no domain
// (docs/formats/store.md).
#pragma once

#include "store/store.h"

namespace domsnap::store {

/// Makes the folder of a domain that is not defined, empty. The domain's lock must be held from here to the
/// end. with: what will be made elsewhere, and goes again if the domain does not come to be.
void begin_domain(const DomainFolder& folder, const std::vector<std::string>& with);
/// Puts the definition; all of it stays.
void finish_domain(const DomainFolder& folder, std::string_view xml);

} // namespace domsnap::store
