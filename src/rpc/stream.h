// A stream of bytes beside the calls of a connection: a console, a screenshot.
#pragma once

#include "rpc/frame.h"
#include "rpc/outlet.h"

#include <memory>
#include <string>
#include <string_view>

namespace domsnap::rpc {

class Stream {
  public:
    virtual ~Stream() = default;
    /// Bytes from the client. Must not block.
    virtual void take(std::string_view bytes) = 0;
    /// No more comes from either side.
    virtual void end() = 0;
    /// Whether it has ended, by whomever.
    virtual bool is_over() const { return false; }
};

/// The packets of one stream on their way to the client.
class StreamOut {
  public:
    StreamOut(std::shared_ptr<Outlet> outlet, const Header& call) : outlet_(std::move(outlet)), call_(call) {}
    /// In packets as small as old clients take; blocks while the client reads slowly. False when it is gone.
    bool send(std::string_view bytes) const;
    void end() const; ///< nothing more will come

  private:
    std::shared_ptr<Outlet> outlet_;
    Header call_;
};

} // namespace domsnap::rpc
