// A stream of bytes beside the calls of a connection: a console, a screenshot, a volume.
#pragma once

#include "rpc/frame.h"
#include "rpc/outlet.h"
#include "rpc/wire.h"

#include <memory>
#include <string>
#include <string_view>

namespace domsnap::rpc {

class Stream {
  public:
    virtual ~Stream() = default;
    /// Bytes from the client. Must not block.
    virtual void take(std::string_view bytes) = 0;
    /// So many zeros from the client, in the place of bytes. Must not block.
    virtual void take_hole(uint64_t) { throw Malformed("a hole in a stream that has none"); }
    /// True while it has so much that the client is not to be read. Who empties it says so to the outlet.
    virtual bool is_full() const { return false; }
    /// No more comes from either side.
    virtual void end() = 0;
    /// The client has sent all, or gives up. False: the stream confirms that itself, when its work is done.
    virtual bool finish(bool gives_up) {
        static_cast<void>(gives_up);
        end();
        return true;
    }
    /// Whether it has ended, by whomever.
    virtual bool is_over() const { return false; }
};

/// The packets of one stream on their way to the client.
class StreamOut {
  public:
    StreamOut(std::shared_ptr<Outlet> outlet, const Header& call) : outlet_(std::move(outlet)), call_(call) {}
    /// In packets as small as old clients take; blocks while the client reads slowly. False when it is gone.
    bool send(std::string_view bytes) const;
    bool send_hole(uint64_t size) const; ///< to a client that asked for holes
    void end() const;                    ///< nothing more will come
    void confirm() const;                ///< all that the client sent is where it belongs
    void fail(const RemoteError& error) const;

  private:
    std::shared_ptr<Outlet> outlet_;
    Header call_;
};

} // namespace domsnap::rpc
