// One connection: what it may do, what it has asked for, and its calls on their way through. Frames come in,
// frames go out through the outlet; sockets and threads are the server's.
#pragma once

#include "rpc/frame.h"
#include "rpc/outlet.h"
#include "rpc/service.h"
#include "rpc/stream.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace domsnap::rpc {

class Client {
  public:
    /// name: how log lines call it ("client 7 (uid 0, pid 123)"). read_only: it came over the read-only
    /// socket.
    Client(Service& service, std::shared_ptr<Outlet> outlet, std::string name, bool read_only);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Service& service() { return service_; }
    const std::shared_ptr<Outlet>& outlet() const { return outlet_; }
    const std::string& name() const { return name_; }
    bool is_open() const { return open_; }
    bool read_only() const { return read_only_; }
    /// The client said that it answers pings.
    bool wants_keepalive() const { return keepalive_; }
    size_t frame_limit() const { return open_ ? max_request : max_request_before_open; }

    /// The frame as it arrives, on the thread that reads: pings and stream packets are dealt with here, in
    /// their order. True if it is a call, which work() must be given, on a thread that may wait. Throws
    /// Malformed.
    bool receive(Frame& frame);
    /// Carries the call out and answers it. Throws Malformed for arguments that are none: such a peer is cut
    /// off.
    void work(const Frame& call);

    // For handlers.
    void open(std::string uri, bool read_only);
    void close() { open_ = false; }
    void use_keepalive() { keepalive_ = true; }
    std::string uri() const;
    void add_stream(uint32_t serial, std::shared_ptr<Stream> stream);

    // For the server.
    bool is_full() const; ///< a stream of it is: it is not to be read for now
    void end_streams();   ///< nothing comes from the client any more

  private:
    void stream_packet(const Frame& frame);
    void answer(const Frame& call, Status status, std::string_view payload);
    void refuse(const Frame& call, const RemoteError& error);

    Service& service_;
    std::shared_ptr<Outlet> outlet_;
    std::string name_;
    std::atomic<bool> open_ = false, read_only_, keepalive_ = false;
    mutable std::mutex mutex_; ///< of what follows
    std::string uri_;
    std::map<uint32_t, std::shared_ptr<Stream>> streams_; ///< by the serial of the call that opened it
};

/// "ping" for a client that has been silent.
std::string ping_frame();

} // namespace domsnap::rpc
