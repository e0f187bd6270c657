#include "rpc/frame.h"

namespace domsnap::rpc {

Header Header::answered(Type with, Status how) const {
    Header header = *this;
    header.type = static_cast<uint32_t>(with);
    header.status = static_cast<uint32_t>(how);
    return header;
}

std::string frame_text(const Header& header, std::string_view payload) {
    const size_t size = length_size + header_size + payload.size();
    if (size > max_frame) throw std::length_error("a message is larger than the protocol allows");
    Writer writer;
    writer.u32(static_cast<uint32_t>(size));
    put(writer, header);
    return writer.take().append(payload);
}

std::optional<Frame> FrameReader::next(size_t limit) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (rest.size() < length_size) return std::nullopt;
    const size_t size = Reader(rest.substr(0, length_size)).u32();
    if (size < length_size + header_size) throw Malformed("a message is shorter than its header");
    if (size > limit) throw Malformed("a message is longer than is allowed here");
    if (rest.size() < size) return std::nullopt;
    Frame frame;
    frame.header = decode<Header>(rest.substr(length_size, header_size));
    frame.payload = rest.substr(length_size + header_size, size - length_size - header_size);
    at_ += size;
    if (at_ == buffer_.size() || at_ > (1 << 20)) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
    return frame;
}

} // namespace domsnap::rpc
