// Whose memory an image holds: written at the capture, compared before a guest is touched.
#pragma once

#include "memory/image.h"
#include "model/domain.h"
#include "model/snapshot.h"

#include <string>

namespace domsnap::engine {

memory::ImageIdentity identity_of(const model::Domain& live, const std::string& qemu_version, int64_t now);

/// Empty, or how the image differs from what the snapshot says: another domain, another size of RAM, another
/// machine type.
std::string identity_problem(const memory::ImageIdentity& image, const model::Snapshot& snapshot,
                             const model::Domain& domain);

/// The same against a machine.
std::string identity_problem(const memory::ImageIdentity& image, const std::string& file,
                             const model::Domain& machine);

} // namespace domsnap::engine
