#include "access.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::server {

static std::optional<gid_t> require_group(const std::string& name) {
    if (name.empty()) return std::nullopt;
    if (const auto group = os::group_named(name)) return group;
    throw Error(ErrorCode::not_found, fmt::format("there is no group '{}'", name),
                fmt::format("groupadd {}", name));
}

Access::Access(const std::string& group, const std::string& read_only_group)
    : group_(require_group(group)), read_only_group_(require_group(read_only_group)) {}

bool Access::may_change(const os::Peer& peer) const {
    return peer.uid == 0 || peer.uid == os::own_uid() || (group_ && os::is_member(peer, *group_));
}

bool Access::may_look(const os::Peer& peer) const {
    return may_change(peer) || (read_only_group_ && os::is_member(peer, *read_only_group_));
}

} // namespace domsnap::server
