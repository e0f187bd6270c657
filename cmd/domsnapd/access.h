// Who may connect, and to what.
#pragma once

#include "os/server.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace domsnap::server {

class Access {
  public:
    /// "" = nobody but root and the server's own user. Throws not_found for a group that is none.
    Access(const std::string& group, const std::string& read_only_group);
    bool may_change(const os::Peer& peer) const;
    bool may_look(const os::Peer& peer) const;
    /// Of the sockets' files: the group gets in only where one was named.
    std::optional<gid_t> group() const { return group_; }
    std::optional<gid_t> read_only_group() const { return read_only_group_; }

  private:
    std::optional<gid_t> group_, read_only_group_;
};

} // namespace domsnap::server
