// Where the guest agent can be spoken to.
#pragma once

#include "model/domain.h"

#include <optional>
#include <string>

namespace domsnap::machine {

/// The socket on which a running QEMU listens for the channel org.qemu.guest_agent.0; nothing if the domain
/// has no such channel, or one that is no listening socket.
std::optional<std::string> agent_socket(const model::Domain& domain, const std::string& runtime_folder);

} // namespace domsnap::machine
