// Where a connection's frames go. The room gives whole frames to it and never sees a socket.
#pragma once

#include <string>

namespace domsnap::rpc {

class Outlet {
  public:
    virtual ~Outlet() = default;
    /// Queues it; from any thread. Nothing happens when the connection is gone.
    virtual void send(std::string frame) = 0;
    /// For those who send much: blocks while the peer reads slowly. False when the connection is gone.
    virtual bool wait_for_room() = 0;
    /// What its client sends is read again: a stream that was full is not any more.
    virtual void read_on() = 0;
};

} // namespace domsnap::rpc
