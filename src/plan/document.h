// The texts that plans carry: definitions and records, complete.
#pragma once

#include "model/domain.h"
#include "model/snapshot.h"

#include <string>

namespace domsnap::plan {

/// A domain as the store and the run-time folder keep it; ends in a newline.
std::string document_text(const model::Domain& domain);
/// A record as the store keeps it: with secrets and points.
std::string record_text(const model::Snapshot& snapshot);
/// <inactiveDomain> made from a definition.
model::Element inactive_document(const model::Domain& definition);

} // namespace domsnap::plan
