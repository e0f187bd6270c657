#include "memory/return_path.h"

#include "base/text.h"
#include "memory/bytes.h"

#include <fmt/format.h>

namespace domsnap::memory {

static constexpr size_t head_size = 4;
static constexpr uint64_t end_of_bitmap = 0x0123456789abcdef;

[[noreturn]] static void damaged(const std::string& what) {
    throw Error(ErrorCode::corrupt, "QEMU's requests for memory cannot be understood: " + what);
}

static std::string_view need(std::string_view body, size_t at, size_t size) {
    if (body.size() < at || body.size() - at < size) damaged("a message is too short");
    return body.substr(at, size);
}

size_t ReturnPath::find_block(std::string_view name) const {
    for (size_t i = 0; i < blocks_.size(); ++i)
        if (blocks_[i].name == name) return i;
    damaged(fmt::format("there is no RAM block '{}'", text::printable(name)));
}

static std::string_view counted_name(std::string_view body, size_t at) {
    const auto size = static_cast<uint8_t>(need(body, at, 1)[0]);
    return need(body, at + 1, size);
}

ReturnMessage ReturnPath::request_from(std::string_view body, bool names_block) {
    const auto start = from_big<uint64_t>(need(body, 0, 8).data());
    const auto length = from_big<uint32_t>(need(body, 8, 4).data());
    if (names_block) last_block_ = find_block(counted_name(body, 12));
    if (!last_block_) damaged("a request names no block");
    const uint64_t size = blocks_[*last_block_].length;
    if (length == 0 || start % page_size != 0 || length % page_size != 0 || start >= size ||
        length > size - start)
        damaged("a request for pages that the block does not have");
    ReturnMessage message;
    message.block = *last_block_;
    message.first = start / page_size;
    message.count = length / page_size;
    return message;
}

std::optional<ReturnMessage> ReturnPath::bitmap_from(std::string_view body, size_t& used) const {
    ReturnMessage message;
    message.block = find_block(counted_name(body, 0));
    const std::string_view rest = std::string_view(unread_).substr(used);
    if (rest.size() < 8) return std::nullopt;
    const auto size = from_big<uint64_t>(rest.data());
    const uint64_t least = (blocks_[message.block].length / page_size + 7) / 8;
    if (size < least || size > least + 8) damaged("a bitmap has a wrong size");
    if (rest.size() < 8 + size + 8) return std::nullopt;
    if (from_big<uint64_t>(rest.data() + 8 + size) != end_of_bitmap) damaged("a bitmap has no end");
    message.bitmap = rest.substr(8, size);
    used += 8 + size + 8;
    return message;
}

std::optional<ReturnMessage> ReturnPath::next() {
    if (unread_.size() < head_size) return std::nullopt;
    const auto answer = static_cast<wire::Answer>(from_big<uint16_t>(unread_.data()));
    size_t used = head_size + from_big<uint16_t>(unread_.data() + 2);
    if (unread_.size() < used) return std::nullopt;
    const std::string_view body = std::string_view(unread_).substr(head_size, used - head_size);
    std::optional<ReturnMessage> message;
    switch (answer) {
    case wire::request_of_block:
    case wire::request:
        message = request_from(body, answer == wire::request_of_block);
        break;
    case wire::received_bitmap:
        message = bitmap_from(body, used);
        break;
    case wire::shut:
    case wire::pong:
    case wire::resume_acknowledged:
        message.emplace().value = from_big<uint32_t>(need(body, 0, 4).data());
        break;
    case wire::switchover_acknowledged:
        message.emplace();
        break;
    default:
        damaged(fmt::format("a message of kind {}", static_cast<unsigned>(answer)));
    }
    if (!message) return std::nullopt;
    message->answer = answer;
    unread_.erase(0, used);
    return message;
}

} // namespace domsnap::memory
