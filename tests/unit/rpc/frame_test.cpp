// Frames out of bytes, however they arrive.
#include "rpc/frame.h"
#include "rpc/wire.h"

#include <gtest/gtest.h>

namespace domsnap::rpc {
namespace {

using namespace std::string_literals;

/// What virsh sends first, byte for byte: AUTH_LIST.
const std::string auth_list = "\0\0\0\x1c\x20\0\x80\x86\0\0\0\1\0\0\0\x42\0\0\0\0\0\0\0\0\0\0\0\0"s;

TEST(Frame, IsWhatVirshSends) {
    Header header;
    header.procedure = 66;
    EXPECT_EQ(frame_text(header), auth_list);
}

TEST(Frame, ByteForByte) {
    FrameReader reader;
    for (size_t i = 0; i + 1 < auth_list.size(); ++i) {
        reader.add(auth_list.substr(i, 1));
        EXPECT_FALSE(reader.next(max_request)) << i;
    }
    reader.add(auth_list.substr(auth_list.size() - 1));
    const auto frame = reader.next(max_request);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.procedure, 66);
    EXPECT_EQ(frame->payload, "");
    EXPECT_EQ(reader.waiting(), 0u);
}

TEST(Frame, SeveralAtOnce) {
    Header header;
    header.procedure = 23;
    FrameReader reader;
    reader.add(frame_text(header, encode(Text{"vm"})) + auth_list + auth_list.substr(0, 10));
    EXPECT_EQ(decode<Text>(reader.next(max_request).value().payload).text, "vm");
    EXPECT_EQ(reader.next(max_request).value().header.procedure, 66);
    EXPECT_FALSE(reader.next(max_request));
    EXPECT_EQ(reader.waiting(), 10u);
}

TEST(Frame, LengthsThatAreNone) {
    for (const auto& length : {"\0\0\0\0"s, "\0\0\0\x1b"s, "\xff\xff\xff\xff"s, "\0\x80\0\1"s}) {
        FrameReader reader;
        reader.add(length);
        EXPECT_THROW(reader.next(max_request), Malformed);
    }
}

TEST(Frame, LittleIsReadBeforeTheConnectionIsOpen) {
    FrameReader reader;
    reader.add("\0\1\0\1"s);
    EXPECT_THROW(reader.next(max_request_before_open), Malformed);
}

} // namespace
} // namespace domsnap::rpc
