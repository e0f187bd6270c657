#include "memory/bytes.h"
#include "memory/return_path.h"

#include <gtest/gtest.h>

namespace domsnap::memory {
namespace {

const std::vector<RamBlock> blocks{{"pc.ram", 20 * page_size, 0}, {"vga.vram", 4 * page_size, 2 << 20}};

std::string message(wire::Answer answer, const std::string& body) {
    std::string bytes;
    put_big(bytes, static_cast<uint16_t>(answer));
    put_big(bytes, static_cast<uint16_t>(body.size()));
    return bytes + body;
}

std::string range(uint64_t start, uint32_t length) {
    std::string body;
    put_big(body, start);
    put_big(body, length);
    return body;
}

std::string name(const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; }

std::string number(uint32_t value) {
    std::string body;
    put_big(body, value);
    return body;
}

std::string bitmap(const std::string& block, uint64_t size, const std::string& bits,
                   uint64_t end = 0x0123456789abcdef) {
    std::string bytes = message(wire::received_bitmap, name(block));
    put_big(bytes, size);
    bytes += bits;
    put_big(bytes, end);
    return bytes;
}

/// All messages, fed in pieces of that size.
std::vector<ReturnMessage> read(const std::string& bytes, size_t piece) {
    ReturnPath path(blocks);
    std::vector<ReturnMessage> all;
    for (size_t at = 0; at < bytes.size(); at += piece) {
        path.feed(std::string_view(bytes).substr(at, piece));
        while (auto one = path.next())
            all.push_back(*std::move(one));
    }
    return all;
}

TEST(ReturnPath, TellsWhatQemuSays) {
    const std::string bytes = message(wire::pong, number(1)) +
                              message(wire::request_of_block, range(page_size, page_size) + name("vga.vram")) +
                              message(wire::request, range(2 * page_size, 2 * page_size)) +
                              bitmap("pc.ram", 8, std::string("\5\0\1\0\0\0\0\0", 8)) +
                              message(wire::resume_acknowledged, number(1)) + message(wire::shut, number(0));
    for (const size_t piece : {size_t{1}, size_t{3}, bytes.size()}) {
        const auto all = read(bytes, piece);
        ASSERT_EQ(all.size(), 6u);
        EXPECT_EQ(all[0].answer, wire::pong);
        EXPECT_EQ(all[1].block, 1u);
        EXPECT_EQ(all[1].first, 1u);
        EXPECT_EQ(all[1].count, 1u);
        EXPECT_EQ(all[2].block, 1u) << "the same block as before";
        EXPECT_EQ(all[2].first, 2u);
        EXPECT_EQ(all[2].count, 2u);
        EXPECT_EQ(all[3].answer, wire::received_bitmap);
        EXPECT_EQ(all[3].block, 0u);
        EXPECT_EQ(all[3].bitmap, std::string("\5\0\1\0\0\0\0\0", 8));
        EXPECT_EQ(all[4].value, 1u);
        EXPECT_EQ(all[5].answer, wire::shut);
    }
}

TEST(ReturnPath, RefusesWhatNoQemuSays) {
    const std::string none = message(wire::request, range(0, page_size));
    for (const std::string& bytes :
         {none, message(static_cast<wire::Answer>(99), ""), message(wire::shut, "x"),
          message(wire::request_of_block, range(0, page_size) + name("other")),
          message(wire::request_of_block, range(0, page_size) + "\x20pc.ram"),
          message(wire::request_of_block, range(1, page_size) + name("pc.ram")),
          message(wire::request_of_block, range(0, 0) + name("pc.ram")),
          message(wire::request_of_block, range(19 * page_size, 2 * page_size) + name("pc.ram")),
          message(wire::request_of_block, range(~uint64_t{0} & ~(page_size - 1), page_size) + name("pc.ram")),
          bitmap("pc.ram", 2, "ab"), bitmap("pc.ram", uint64_t{1} << 40, ""),
          bitmap("pc.ram", 8, "abcdefgh", 7)}) {
        EXPECT_THROW(read(bytes, bytes.size()), Error) << testing::PrintToString(bytes);
    }
}

} // namespace
} // namespace domsnap::memory
