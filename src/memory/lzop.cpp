#include "memory/lzop.h"

#include "memory/lzo.h"

#include <algorithm>
#include <array>
#include <vector>
#include <zlib.h>

namespace domsnap::memory {

namespace {

constexpr std::array<uint8_t, 9> magic{0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n'};
constexpr uint32_t largest_block = 64 << 20; ///< lzop's own limit
constexpr uint32_t oldest_with_level = 0x0940;
enum : uint32_t {
    adler_unpacked = 1,
    adler_packed = 2,
    has_extra = 0x40,
    crc_unpacked = 0x100,
    crc_packed = 0x200,
    has_filter = 0x800
};

/// Numbers one after the other, as far as the bytes go; how many bytes would be needed for the first that is
/// not there.
class Fields {
  public:
    explicit Fields(std::span<const uint8_t> raw) : raw_(raw) {}
    size_t needed() const { return needed_; } ///< 0 = all was there
    size_t at() const { return at_; }

    uint32_t number(size_t size) {
        uint32_t value = 0;
        for (const auto byte : bytes(size))
            value = value << 8 | byte;
        return value;
    }
    std::span<const uint8_t> bytes(size_t size) {
        if (needed_ == 0 && size > raw_.size() - at_) needed_ = at_ + size;
        if (needed_) return {};
        const auto piece = raw_.subspan(at_, size);
        at_ += size;
        return piece;
    }

  private:
    std::span<const uint8_t> raw_;
    size_t at_ = 0, needed_ = 0;
};

uint32_t adler_of(std::span<const uint8_t> bytes) {
    return static_cast<uint32_t>(adler32(1, bytes.data(), static_cast<uInt>(bytes.size())));
}
uint32_t crc_of(std::span<const uint8_t> bytes) {
    return static_cast<uint32_t>(crc32(0, bytes.data(), static_cast<uInt>(bytes.size())));
}

class Lzop : public Decoder {
  public:
    explicit Lzop(const std::string& path) : path_(path) {}
    bool is_whole() const override { return whole_; }

    void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
        while (give(out) && !in.empty()) {
            const auto size = std::min(in.size(), needed_ - piece_.size());
            piece_.insert(piece_.end(), in.begin(), in.begin() + static_cast<ptrdiff_t>(size));
            in = in.subspan(size);
            whole_ = false;
            if (piece_.size() == needed_) read_piece();
        }
    }

  private:
    [[noreturn]] void damaged(const std::string& what) const {
        throw damaged_memory(Packing::lzop, path_, what);
    }

    /// Whether all of the last block has been given.
    bool give(std::span<uint8_t>& out) {
        const auto size = std::min(out.size(), block_.size() - given_);
        std::copy_n(block_.begin() + static_cast<ptrdiff_t>(given_), size, out.begin());
        out = out.subspan(size);
        given_ += size;
        return given_ == block_.size();
    }

    void read_piece() {
        Fields fields(piece_);
        if (in_blocks_)
            read_block(fields);
        else
            read_head(fields);
        needed_ = fields.needed();
        if (needed_) return;
        piece_.clear();
        needed_ = in_blocks_ ? 4 : magic.size();
    }

    /// What is said of the file that was packed is of no interest.
    void read_head(Fields& fields) {
        const auto begins = fields.bytes(magic.size());
        if (!std::equal(begins.begin(), begins.end(), magic.begin(), magic.end()))
            damaged("it is none of lzop's");
        const bool has_level = fields.number(2) >= oldest_with_level;
        fields.number(has_level ? 4 : 2); // versions: of the library, and what is needed
        const auto method = fields.number(1);
        if (has_level) fields.number(1);
        const auto flags = fields.number(4);
        if (flags & has_filter) fields.number(4);
        fields.bytes(has_level ? 12 : 8); // mode and time
        fields.bytes(fields.number(1));   // name
        fields.number(4);                 // checksum
        if (flags & has_extra) damaged("a field that is not known");
        if (fields.needed()) return;
        if (method < 1 || method > 3 || flags & has_filter)
            damaged("it was packed in another way than LZO1X");
        flags_ = flags;
        in_blocks_ = true;
    }

    void read_block(Fields& fields) {
        const auto size = fields.number(4);
        if (fields.needed()) return;
        if (size == 0) {
            in_blocks_ = false;
            whole_ = true;
            return;
        }
        const auto packed_size = fields.number(4);
        if (fields.needed()) return;
        if (size > largest_block || packed_size == 0 || packed_size > size)
            damaged("a block of no such size can be");
        const bool packed = packed_size < size;
        const auto adler = fields.number(flags_ & adler_unpacked ? 4 : 0);
        const auto crc = fields.number(flags_ & crc_unpacked ? 4 : 0);
        const auto packed_adler = fields.number(packed && flags_ & adler_packed ? 4 : 0);
        const auto packed_crc = fields.number(packed && flags_ & crc_packed ? 4 : 0);
        const auto content = fields.bytes(packed_size);
        if (fields.needed()) return;
        if (packed && ((flags_ & adler_packed && adler_of(content) != packed_adler) ||
                       (flags_ & crc_packed && crc_of(content) != packed_crc)))
            damaged("checksum of a packed block");
        unpack(content, size);
        if ((flags_ & adler_unpacked && adler_of(block_) != adler) ||
            (flags_ & crc_unpacked && crc_of(block_) != crc))
            damaged("checksum of a block");
    }

    void unpack(std::span<const uint8_t> content, uint32_t size) {
        block_.resize(size);
        given_ = 0;
        if (content.size() == size)
            std::copy(content.begin(), content.end(), block_.begin());
        else if (!unpack_lzo1x(content, block_))
            damaged("a block that cannot be unpacked");
    }

    std::string path_;
    std::vector<uint8_t> piece_, block_; ///< what has come of a head or a block; what is unpacked
    size_t needed_ = magic.size(), given_ = 0;
    uint32_t flags_ = 0;
    bool in_blocks_ = false, whole_ = false;
};

} // namespace

std::unique_ptr<Decoder> make_lzop_decoder(const std::string& path) { return std::make_unique<Lzop>(path); }

} // namespace domsnap::memory
