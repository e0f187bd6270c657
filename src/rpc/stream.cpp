#include "rpc/stream.h"

namespace domsnap::rpc {

static constexpr size_t packet_size = 262'120; ///< VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX

bool StreamOut::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        if (!outlet_->wait_for_room()) return false;
        outlet_->send(frame_text(call_.answered(Type::stream, Status::more), bytes.substr(0, packet_size)));
        bytes.remove_prefix(std::min(bytes.size(), packet_size));
    }
    return true;
}

void StreamOut::end() const { outlet_->send(frame_text(call_.answered(Type::stream, Status::more))); }

} // namespace domsnap::rpc
