#include "machine/agent_channel.h"

#include "machine/chardev.h"

namespace domsnap::machine {

std::optional<std::string> agent_socket(const model::Domain& domain, const std::string& runtime_folder) {
    const auto* devices = domain.document.child("devices");
    if (!devices) return std::nullopt;
    for (const auto* channel : devices->elements("channel")) {
        const auto* target = channel->child("target");
        if (target && target->attribute("name") == "org.qemu.guest_agent.0")
            return socket_of(*channel, runtime_folder);
    }
    return std::nullopt;
}

} // namespace domsnap::machine
