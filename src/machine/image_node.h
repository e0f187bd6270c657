// An image as a node for a QEMU that runs already: what -blockdev would have given it at the start.
#pragma once

#include "machine/command_line.h"

#include <nlohmann/json_fwd.hpp>

namespace domsnap::machine {

/// Options of blockdev-add, with the disk's own cache, aio and discard; below: the node that it rests on, ""
/// = nothing.
nlohmann::json image_node(const model::Domain& domain, const std::string& target, const ChainImage& image,
                          const std::string& name, const std::string& below, bool read_only);

} // namespace domsnap::machine
