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

bool StreamOut::send_hole(uint64_t size) const {
    if (!outlet_->wait_for_room()) return false;
    outlet_->send(frame_text(call_.answered(Type::stream_hole, Status::more), encode(StreamHole{size, 0})));
    return true;
}

void StreamOut::confirm() const { outlet_->send(frame_text(call_.answered(Type::stream, Status::ok))); }

void StreamOut::fail(const RemoteError& error) const {
    outlet_->send(frame_text(call_.answered(Type::stream, Status::error), encode(error)));
}

void StreamOut::end() const { outlet_->send(frame_text(call_.answered(Type::stream, Status::more))); }

} // namespace domsnap::rpc
