// The agent in the guest, as far as domsnap asks it: whether file systems are frozen, freeze them, thaw them.
// It is a part of the guest: while that stands still, nobody reads what it is sent.
#pragma once

#include "options.h"
#include "os/fd.h"
#include "qmp/codec.h"

#include <functional>
#include <optional>
#include <string>

namespace fake {

class Agent {
  public:
    /// The chardev behind the port org.qemu.guest_agent.0; nothing if the machine has none.
    static std::optional<Properties> chardev_of(const Options& options);

    explicit Agent(const Properties& chardev);
    bool frozen() const { return frozen_; }
    int poll_fd() const { return client_ ? client_.get() : door_.get(); }
    /// Something happened there. What is to be sent for a command is given to reply, with the command's name.
    void serve(const std::function<void(const std::string& command, const std::string& answer)>& reply);
    /// To whoever is connected then.
    void send(const std::string& answer);

  private:
    std::string answer(const std::string& command, const Json& arguments);
    void take(const std::string& line,
              const std::function<void(const std::string&, const std::string&)>& reply);

    domsnap::os::Fd door_, client_;
    std::string unread_;
    bool frozen_ = false;
};

} // namespace fake
