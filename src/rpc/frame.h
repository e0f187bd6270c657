// Frames: the length, the header, the payload. Bytes as they come from a socket -> whole frames. Knows no
// procedure.
#pragma once

#include "rpc/xdr.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap::rpc {

enum class Type : uint32_t { call, reply, message, stream, call_with_fds, reply_with_fds, stream_hole };
enum class Status : uint32_t { ok, error, more };

namespace program {
inline constexpr uint32_t remote = 0x20008086, qemu = 0x20008087, keepalive = 0x6b656570;
}

struct Header {
    uint32_t program = program::remote, version = 1;
    int32_t procedure = 0;
    uint32_t type = 0, serial = 0, status = 0;
    DOMSNAP_WIRE(program, version, procedure, type, serial, status)

    bool is(Type wanted) const { return type == static_cast<uint32_t>(wanted); }
    bool is(Status wanted) const { return status == static_cast<uint32_t>(wanted); }
    /// The same call's answer, or a packet of its stream.
    Header answered(Type with, Status how) const;
};

struct Frame {
    Header header;
    std::string payload;
};

inline constexpr size_t header_size = 24, length_size = 4;
inline constexpr size_t max_frame = 32 << 20; ///< libvirt's, length word included
/// What a client of ours has reason to send: documents of 4 MiB at most (streams are cut smaller). Before the
/// connection is open, far less.
inline constexpr size_t max_request = (8 << 20), max_request_before_open = 64 << 10;

std::string frame_text(const Header& header, std::string_view payload = {});

class FrameReader {
  public:
    void add(std::string_view bytes) { buffer_.append(bytes); }
    /// The next whole frame. Throws Malformed for a length that is none, or above limit.
    std::optional<Frame> next(size_t limit);
    size_t waiting() const { return buffer_.size() - at_; }

  private:
    std::string buffer_;
    size_t at_ = 0; ///< what is before it has been handed out
};

} // namespace domsnap::rpc
