// What QEMU says back while it takes memory by postcopy: which pages the guest waits for, what it has
// received, when it is done. A parser over bytes that are not trusted; does no I/O.
#pragma once

#include "memory/image.h"
#include "memory/stream.h"

#include <cstdint>
#include <domsnap/error.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::memory {

struct ReturnMessage {
    wire::Answer answer = wire::pong;
    size_t block = 0;        ///< of a request or a bitmap
    uint64_t first = 0;      ///< page, of a request
    uint64_t count = 0;      ///< pages, of a request: 1 at least, inside the block
    uint32_t value = 0;      ///< of shut (0: all is well), pong, resume_acknowledged
    std::string bitmap;      ///< a bit a page, lowest first, at least as many as the block has pages
};

class ReturnPath {
  public:
    /// blocks outlive it: requests are checked against them.
    explicit ReturnPath(const std::vector<RamBlock>& blocks) : blocks_(blocks) {}

    void feed(std::string_view bytes) { unread_ += bytes; }
    /// The next whole message, or nothing until more was fed. Error: corrupt.
    std::optional<ReturnMessage> next();

  private:
    size_t find_block(std::string_view name) const;
    ReturnMessage request_from(std::string_view body, bool names_block);
    std::optional<ReturnMessage> bitmap_from(std::string_view body, size_t& used) const;

    const std::vector<RamBlock>& blocks_;
    std::string unread_;
    std::optional<size_t> last_block_;
};

} // namespace domsnap::memory
