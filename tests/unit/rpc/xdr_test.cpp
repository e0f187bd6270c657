// The codec: what goes in comes out, in the bytes of RFC 4506; and hostile lengths cost nothing.
#include "rpc/wire.h"

#include <gtest/gtest.h>

namespace domsnap::rpc {
namespace {

using namespace std::string_literals;

template <class T>
T again(const T& value) {
    return decode<T>(encode(value));
}

TEST(Xdr, Scalars) {
    EXPECT_EQ(encode(Number{-2}), "\xff\xff\xff\xfe"s);
    EXPECT_EQ(encode(BigNumber{0x0102030405060708}), "\x01\x02\x03\x04\x05\x06\x07\x08"s);
    EXPECT_EQ(again(Number{INT32_MIN}).value, INT32_MIN);
    EXPECT_EQ(again(BigNumber{UINT64_MAX}).value, UINT64_MAX);
}

TEST(Xdr, TextIsPadded) {
    EXPECT_EQ(encode(Text{"abcde"}), "\0\0\0\5abcde\0\0\0"s);
    for (const auto* text : {"", "a", "ab", "abc", "abcd", "\xc3\xa4"})
        EXPECT_EQ(again(Text{text}).text, text);
}

TEST(Xdr, OptionalIsAFlagAndTheValue) {
    EXPECT_EQ(encode(MaybeText{}), "\0\0\0\0"s);
    EXPECT_EQ(encode(MaybeText{"a"}), "\0\0\0\1\0\0\0\1a\0\0\0"s);
    EXPECT_EQ(again(MaybeText{"x"}).text, "x");
    EXPECT_FALSE(again(MaybeText{}).text);
}

TEST(Xdr, UnionsCountFromOne) {
    EXPECT_EQ(encode(Param{"b", true}), "\0\0\0\1b\0\0\0\0\0\0\6\0\0\0\1"s);
    for (const ParamValue& value :
         {ParamValue{int32_t{-1}}, ParamValue{uint32_t{7}}, ParamValue{int64_t{-3}}, ParamValue{uint64_t{9}},
          ParamValue{0.5}, ParamValue{true}, ParamValue{"s"s}})
        EXPECT_EQ(again(Param{"f", value}).value, value);
    EXPECT_THROW(decode<Param>("\0\0\0\1b\0\0\0\0\0\0\0\0\0\0\1"s), Malformed);
    EXPECT_THROW(decode<Param>("\0\0\0\1b\0\0\0\0\0\0\10\0\0\0\1"s), Malformed);
}

TEST(Xdr, CharactersTakeFourBytes) {
    struct Model {
        WideText32 model;
        WideText other;
        DOMSNAP_WIRE(model, other)
    };
    const auto bytes = encode(Model{{"x86_64"}, {"ab"}});
    EXPECT_EQ(bytes.size(), 32u * 4 + 4 + 2 * 4);
    EXPECT_EQ(decode<Model>(bytes).model.text, "x86_64");
    EXPECT_EQ(decode<Model>(bytes).other.text, "ab");
}

TEST(Xdr, StructsInStructs) {
    SnapshotRef snapshot{"s", {"vm", {1, 2, 3}, 17}};
    const auto back = again(OfSnapshot{snapshot}).snapshot;
    EXPECT_EQ(back.name, "s");
    EXPECT_EQ(back.domain.name, "vm");
    EXPECT_EQ(back.domain.uuid, snapshot.domain.uuid);
    EXPECT_EQ(back.domain.id, 17);
}

TEST(Xdr, AClaimedLengthAllocatesNothing) {
    EXPECT_THROW(decode<Text>("\x7f\xff\xff\xff"s), Malformed);
    EXPECT_THROW(decode<Text>("\0\x30\0\0"s), Malformed) << "below the limit, but not there";
    EXPECT_THROW(decode<SomeNames>("\0\0\x40\1"s), Malformed) << "one more than the limit";
    EXPECT_THROW(decode<SomeNames>("\0\0\x3f\xff"s), Malformed);
}

TEST(Xdr, CutOrLeftOver) {
    const auto whole = encode(OfDomain{{"vm", {}, 3}});
    for (size_t size = 0; size < whole.size(); ++size)
        EXPECT_THROW(decode<OfDomain>(whole.substr(0, size)), Malformed) << size;
    EXPECT_THROW(decode<OfDomain>(whole + "\0\0\0\0"s), Malformed);
}

TEST(Xdr, NoZeroInText) { EXPECT_THROW(decode<Text>("\0\0\0\2a\0\0\0"s), Malformed); }

TEST(Xdr, TooMuchToSend) {
    EXPECT_THROW(encode(Text{std::string(max_string + 1, 'x')}), std::length_error);
    SomeNames names;
    names.names.resize(max_list + 1);
    EXPECT_THROW(encode(names), std::length_error);
}

} // namespace
} // namespace domsnap::rpc
