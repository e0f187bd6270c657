#include "memory/lzo.h"

#include <cstring>

namespace domsnap::memory {

namespace {

struct TooShort {};

class Lzo1x {
  public:
    Lzo1x(std::span<const uint8_t> in, std::span<uint8_t> out) : in_(in), out_(out) {}

    void run() {
        if (!in_.empty() && in_[0] > 17) begin_with_literals();
        while (!ended_)
            step(byte());
        if (at_ != in_.size() || filled_ != out_.size()) throw TooShort{};
    }

  private:
    static constexpr unsigned after_a_run = 4; ///< else how many literals followed the last match: 0 to 3

    unsigned byte() {
        if (at_ == in_.size()) throw TooShort{};
        return in_[at_++];
    }
    unsigned word() {
        const unsigned low = byte();
        return low | byte() << 8;
    }

    /// What does not fit in the instruction follows it: a zero for each 255, and a last byte.
    size_t length(unsigned in_instruction, unsigned base) {
        if (in_instruction) return in_instruction;
        size_t more = 0;
        unsigned next = byte();
        for (; next == 0; next = byte())
            more += 255;
        return more + base + next;
    }

    void literals(size_t count) {
        if (count > in_.size() - at_ || count > out_.size() - filled_) throw TooShort{};
        if (count) std::memcpy(out_.data() + filled_, in_.data() + at_, count);
        at_ += count;
        filled_ += count;
    }

    /// Byte for byte: a match may overlap what it makes.
    void match(size_t distance, size_t count, unsigned literals_after) {
        if (distance > filled_ || count > out_.size() - filled_) throw TooShort{};
        for (; count; --count, ++filled_)
            out_[filled_] = out_[filled_ - distance];
        literals(literals_after);
        state_ = literals_after;
    }

    void begin_with_literals() {
        const unsigned count = byte() - 17;
        literals(count);
        state_ = count < after_a_run ? count : after_a_run;
    }

    void step(unsigned t) {
        if (t >= 64) {
            const size_t distance = (t >> 2 & 7) + (size_t{byte()} << 3) + 1;
            match(distance, (t >> 5) + 1, t & 3);
        } else if (t >= 32) {
            const auto count = length(t & 31, 31) + 2;
            const unsigned tail = word();
            match((tail >> 2) + 1, count, tail & 3);
        } else if (t >= 16) {
            far(t);
        } else if (state_ == 0) {
            literals(length(t, 15) + 3);
            state_ = after_a_run;
        } else {
            near(t);
        }
    }

    void far(unsigned t) {
        const auto count = length(t & 7, 7) + 2;
        const unsigned tail = word();
        const size_t distance = (size_t{t & 8} << 11) + (tail >> 2);
        if (distance == 0)
            ended_ = true;
        else
            match(distance + 0x4000, count, tail & 3);
    }

    void near(unsigned t) {
        const bool long_way = state_ == after_a_run;
        const size_t distance = (t >> 2) + (size_t{byte()} << 2) + 1;
        match(long_way ? distance + 0x800 : distance, long_way ? 3 : 2, t & 3);
    }

    std::span<const uint8_t> in_;
    std::span<uint8_t> out_;
    size_t at_ = 0, filled_ = 0;
    unsigned state_ = 0;
    bool ended_ = false;
};

} // namespace

bool unpack_lzo1x(std::span<const uint8_t> in, std::span<uint8_t> out) {
    try {
        Lzo1x(in, out).run();
        return true;
    } catch (const TooShort&) {
        return false;
    }
}

} // namespace domsnap::memory
