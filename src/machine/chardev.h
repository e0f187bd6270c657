// The host's side of a character device: <serial>, <console> and <channel> have the same <source>.
#pragma once

#include "machine/build.h"

#include <optional>

namespace domsnap::machine {

/// The socket that QEMU is to listen on for this device; nothing for other kinds.
std::optional<std::string> socket_of(const model::Element& device, const std::string& runtime_folder);
/// Adds the -chardev with that id.
void add_chardev(Build& build, const model::Element& device, const std::string& id);

} // namespace domsnap::machine
