#include "agent/freeze.h"

#include "agent/client.h"
#include "base/error.h"

#include <nlohmann/json.hpp>

namespace domsnap::agent {

using namespace std::chrono_literals;

bool is_frozen(const std::string& socket_path, Deadline deadline) {
    return Client::connect(socket_path, deadline).run("guest-fsfreeze-status", deadline) == "frozen";
}

int64_t freeze(const std::string& socket_path, Deadline deadline) {
    const Json count = Client::connect(socket_path, deadline).run("guest-fsfreeze-freeze", deadline);
    return count.is_number_integer() ? count.get<int64_t>() : 0;
}

/// One try. The status is asked because an agent that is told to thaw says the number that it thawed, 0 among
/// them, whether or not anything was left frozen by another one.
static bool thawed(const std::string& socket_path, Deadline deadline) {
    Client agent = Client::connect(socket_path, deadline);
    agent.run("guest-fsfreeze-thaw", deadline);
    return agent.run("guest-fsfreeze-status", deadline) == "thawed";
}

void thaw(const std::string& socket_path, Deadline deadline) {
    for (;;) {
        try {
            // An answer may get lost, as with a guest that is stopped just then: hence several short tries.
            if (thawed(socket_path, deadline.or_sooner(3s))) return;
            if (deadline.passed())
                throw Error(ErrorCode::refused_by_qemu, "the agent says that file systems are still frozen");
        } catch (const Error& error) {
            const bool no_channel = error.code() == ErrorCode::not_found || error.code() == ErrorCode::io;
            if (no_channel || deadline.passed()) throw; // with its QEMU the frozen guest is gone too
        }
    }
}

} // namespace domsnap::agent
