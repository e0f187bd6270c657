// One connection to the guest agent, over the host's side of its channel: commands and their answers. The far
// end is the guest's: whatever comes is hostile, bounded in size and in time. Knows nothing of snapshots.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace domsnap::agent {

using Json = nlohmann::json;

class Client {
  public:
    /// Connects and finds the place in the stream where the answers to us begin: those to a client that went
    /// away before are still in it. Errors: not_found (nobody listens: no QEMU), timed_out (no agent
    /// answers).
    static Client connect(const std::string& socket_path, Deadline deadline);

    /// The answer's "return". Throws refused_by_qemu with the agent's own words, timed_out if it does not
    /// answer (whether it does what it was asked is not known then), io if QEMU closed the channel.
    Json run(const std::string& command, Deadline deadline);

  private:
    explicit Client(os::Fd socket) : socket_(std::move(socket)) {}
    void synchronize(Deadline deadline);
    std::string line(Deadline deadline);
    void fill(Deadline deadline);

    os::Fd socket_;
    std::string unread_;
};

} // namespace domsnap::agent
