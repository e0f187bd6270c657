// One client's socket: bytes in as frames, frames out as bytes. Frames to send come from any thread;
// everything else is the loop's.
#pragma once

#include "os/server.h"
#include "rpc/frame.h"
#include "rpc/outlet.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

namespace domsnap::server {

class Connection : public rpc::Outlet {
  public:
    /// wants_attention is called, from any thread, when there is something to flush, or to read again.
    Connection(os::Fd socket, std::function<void()> wants_attention);

    void send(std::string frame) override;
    bool wait_for_room() override;
    void read_on() override { wants_attention_(); }

    int fd() const { return socket_.get(); }
    /// Reads what there is. False when the peer is gone.
    bool receive();
    rpc::FrameReader& frames() { return in_; }
    /// Writes what the peer takes. False when it is gone, or takes nothing while too much waits.
    bool flush();
    bool has_to_send() const;
    /// Nothing is sent any more; who waits for room is let go.
    void shut();

  private:
    bool write_some();

    os::Fd socket_;
    std::function<void()> wants_attention_;
    rpc::FrameReader in_;
    mutable std::mutex mutex_; ///< of what follows
    std::condition_variable room_;
    std::deque<std::string> out_;
    size_t out_size_ = 0, sent_of_first_ = 0;
    bool shut_ = false;
};

} // namespace domsnap::server
