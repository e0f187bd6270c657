#include "memory/stream.h"

#include "base/text.h"
#include "memory/bytes.h"
#include "memory/image.h"

#include <cstring>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr size_t batch_limit = 4096;

void StreamParser::damaged(const std::string& what) const {
    throw Error(ErrorCode::corrupt,
                fmt::format("the migration stream is damaged at byte {}: {}", bytes(), what));
}

StreamParser::Event StreamParser::next() {
    pages_.clear();
    for (;;) {
        switch (place_) {
        case Place::start:
            read_start();
            place_ = Place::records;
            return Event::blocks;
        case Place::records:
            gather_pages();
            if (!pages_.empty()) return Event::pages;
            break;
        case Place::footer:
            read_footer();
            break;
        case Place::sections:
            read_section_start();
            break;
        case Place::tail:
            read_tail();
            break;
        case Place::done:
            return Event::end;
        }
    }
}

// The rest of the window goes in front of the next chunk. It must not be longer than the room there; need()
// sees to it.
bool StreamParser::refill() {
    uint8_t rest[ByteSource::headroom];
    const auto left = static_cast<size_t>(end_ - at_);
    if (left > 0) std::memcpy(rest, at_, left);
    const std::span<uint8_t> chunk = source_.next();
    uint8_t* const begin = chunk.empty() ? nullptr : chunk.data() - left;
    if (!begin) return false;
    if (left > 0) std::memcpy(begin, rest, left);
    at_ = begin;
    end_ = chunk.data() + chunk.size();
    received_ += chunk.size();
    return true;
}

const uint8_t* StreamParser::need(size_t size, const char* what) {
    if (size > ByteSource::headroom) damaged(fmt::format("{} is too long", what));
    while (static_cast<size_t>(end_ - at_) < size)
        if (!refill()) damaged(fmt::format("it ends in the midst of {}", what));
    return at_;
}

// Looks without consuming: a length byte and that many bytes.
std::string_view StreamParser::need_counted_name(const char* what) {
    const size_t length = *need(1, what);
    return as_text(need(1 + length, what) + 1, length);
}

void StreamParser::gather_pages() {
    while (pages_.size() < batch_limit) {
        switch (step()) {
        case Step::record:
            break;
        case Step::section_end:
            place_ = Place::footer;
            return;
        case Step::incomplete:
            if (!pages_.empty()) return; // their data lies in this window
            if (!refill()) damaged("it ends in the midst of RAM");
        }
    }
}

static std::string words_of_flags(uint64_t flags) {
    if (flags & 0x40) return "XBZRLE pages: switch the migration capability 'xbzrle' off";
    if (flags & 0x100) return "compressed pages: switch the migration capability 'compress' off";
    if (flags & 0x200) return "multifd: switch the migration capability 'multifd' off";
    return fmt::format("RAM records with flags {:#x}", flags);
}

StreamParser::Step StreamParser::step() {
    const auto left = static_cast<size_t>(end_ - at_);
    if (left < 8) return Step::incomplete;
    const auto word = from_big<uint64_t>(at_);
    const uint64_t flags = word % page_size, offset = word - flags;
    if (flags == wire::end_of_section) {
        at_ += 8;
        return Step::section_end;
    }
    const uint64_t kind = flags & ~uint64_t{wire::same_block};
    if (kind != wire::zero_page && kind != wire::data_page)
        throw Error(ErrorCode::unsupported, "the migration stream has " + words_of_flags(kind));
    size_t size = 8;
    uint32_t block = block_;
    if (!(flags & wire::same_block)) {
        if (left < 9 || left < 9u + at_[8]) return Step::incomplete;
        size += 1u + at_[8];
        block = find_block(as_text(at_ + 9, at_[8]));
    }
    if (block >= blocks_.size()) damaged("a page of no known RAM block");
    if (offset >= blocks_[block].length)
        damaged(fmt::format("a page at {:#x} of '{}', which ends before", offset,
                            text::printable(blocks_[block].name)));
    const size_t payload = kind == wire::zero_page ? 1 : page_size;
    if (left < size + payload) return Step::incomplete;
    const uint8_t* const data = at_ + size;
    if (kind == wire::zero_page && *data != 0) damaged("a page filled with a byte that is not zero");
    pages_.push_back({offset, kind == wire::zero_page ? nullptr : data, block});
    block_ = block;
    at_ += size + payload;
    return Step::record;
}

uint32_t StreamParser::find_block(std::string_view name) const {
    uint32_t index = 0;
    while (index < blocks_.size() && blocks_[index].name != name)
        ++index;
    return index;
}

void StreamParser::read_footer() {
    const uint8_t* const at = need(5, "a section footer");
    if (at[0] != wire::section_footer || from_big<uint32_t>(at + 1) != ram_id_)
        damaged("a section footer is missing");
    at_ += 5;
    place_ = Place::sections;
}

void StreamParser::read_section_start() {
    switch (const uint8_t type = *need(1, "a section")) {
    case wire::section_part:
    case wire::section_end:
        if (from_big<uint32_t>(need(5, "a section") + 1) != ram_id_)
            damaged("a live section that is not RAM");
        at_ += 5;
        place_ = Place::records;
        return;
    case wire::command:
        skip_command();
        return;
    case wire::section_full:
    case wire::end_of_stream:
        place_ = Place::tail;
        return;
    case wire::section_start:
        throw Error(ErrorCode::unsupported, "the migration stream has a second live section besides RAM",
                    "a device of this machine (dirty bitmaps, vfio) cannot be kept in a memory image");
    default:
        damaged(fmt::format("unknown section type {}", type));
    }
}

// OPEN_RETURN_PATH (1) and PING (2) want an answer that nobody waits for, SWITCHOVER_START (11, from
// QEMU 10.0 on) only tells; the others belong to kinds of migration that we never ask for, and carry state.
void StreamParser::skip_command() {
    const uint8_t* const at = need(5, "a command");
    const auto number = from_big<uint16_t>(at + 1), length = from_big<uint16_t>(at + 3);
    if ((number != 1 && number != 2 && number != 11) || length > 4)
        damaged(fmt::format("unexpected command {}", number));
    need(5u + length, "a command");
    at_ += 5 + length;
}

} // namespace domsnap::memory
