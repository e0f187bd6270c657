// What ChangedCapture and its process say to each other, over a socket: one line of JSON that says what is to
// be copied; "ready" back; "copy"; "copied" back; "state N" and N bytes. Private to the room; both sides are
// of one build.
#pragma once

#include "base/deadline.h"
#include "memory/changed_capture.h"

#include <optional>
#include <string>
#include <string_view>

namespace domsnap::memory {

namespace changed_words {
inline constexpr std::string_view ready = "ready", copy = "copy", copied = "copied", state = "state ";
}

std::string to_line(const ChangedSource& source);
/// Throws corrupt.
ChangedSource source_from_line(std::string_view line);

/// Lines and bytes from a socket.
class SocketReader {
  public:
    explicit SocketReader(int socket) : socket_(socket) {}
    /// Without its newline; nothing at the socket's end. Throws timed_out.
    std::optional<std::string> line(Deadline deadline);
    /// All of them, or an Error (io) at the socket's end.
    std::string bytes(size_t size);

  private:
    bool read_more();

    int socket_;
    std::string unread_;
};

} // namespace domsnap::memory
