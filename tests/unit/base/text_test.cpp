#include "base/text.h"

#include <gmock/gmock.h>

using namespace domsnap;
using ::testing::ElementsAre;

TEST(Text, trims_blanks_at_both_ends_only) {
    EXPECT_EQ(text::trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(text::trim(" \n"), "");
    EXPECT_EQ(text::trim(""), "");
}

TEST(Text, split_keeps_empty_parts) {
    EXPECT_THAT(text::split("a,,b,", ','), ElementsAre("a", "", "b", ""));
    EXPECT_THAT(text::split("", ','), ElementsAre(""));
    EXPECT_EQ(text::join(text::split("a,,b,", ','), ","), "a,,b,");
}

TEST(Text, numbers_are_digits_only) {
    EXPECT_EQ(text::to_u64("0"), 0U);
    EXPECT_EQ(text::to_u64("18446744073709551615"), UINT64_MAX);
    for (const char* bad : {"", " 1", "1 ", "-1", "+1", "1x", "0x10", "18446744073709551616", "1.0"})
        EXPECT_EQ(text::to_u64(bad), std::nullopt) << bad;
}

TEST(Text, hexadecimal_needs_its_prefix) {
    EXPECT_EQ(text::to_u64_any_base("0x1F"), 31U);
    EXPECT_EQ(text::to_u64_any_base("0Xff"), 255U);
    EXPECT_EQ(text::to_u64_any_base("31"), 31U);
    for (const char* bad : {"0x", "1F", "0x-1", "0x1g"})
        EXPECT_EQ(text::to_u64_any_base(bad), std::nullopt) << bad;
}

TEST(Text, an_encoded_name_is_one_visible_path_component) {
    EXPECT_EQ(text::percent_encode("vm-1_a.b"), "vm-1_a.b");
    EXPECT_EQ(text::percent_encode(".hidden"), "%2Ehidden");
    EXPECT_EQ(text::percent_encode(".."), "%2E.");
    EXPECT_EQ(text::percent_encode("a/b\n"), "a%2Fb%0A");
    EXPECT_EQ(text::percent_encode("100%"), "100%25");
    EXPECT_EQ(text::percent_encode(""), "%");
}

TEST(Text, every_byte_survives_encoding) {
    for (int first = 0; first < 256; ++first) {
        const std::string name = {static_cast<char>(first), '.', static_cast<char>(255 - first)};
        const std::string encoded = text::percent_encode(name);
        EXPECT_EQ(encoded.find('/'), std::string::npos);
        EXPECT_NE(encoded.front(), '.');
        EXPECT_EQ(text::percent_decode(encoded), name);
    }
    EXPECT_EQ(text::percent_decode(text::percent_encode("")), "");
}

TEST(Text, only_encoder_results_are_decoded) {
    // Two file names for one name would make two records of one snapshot.
    for (const char* bad : {"", "%4", "%zz", "%41", "%2f", "a b", ".hidden", "%%", "a/b", "%2"})
        EXPECT_EQ(text::percent_decode(bad), std::nullopt) << bad;
}

TEST(Text, sizes_for_people) {
    EXPECT_EQ(text::human_size(0), "0 bytes");
    EXPECT_EQ(text::human_size(1023), "1023 bytes");
    EXPECT_EQ(text::human_size(1024), "1.0 KiB");
    EXPECT_EQ(text::human_size(1536), "1.5 KiB");
    EXPECT_EQ(text::human_size(612 << 10), "612 KiB");
    EXPECT_EQ(text::human_size(uint64_t{3} << 30), "3.0 GiB");
    EXPECT_EQ(text::human_size(UINT64_MAX), "16384 PiB");
}

TEST(Text, a_hostile_name_cannot_forge_a_line) {
    EXPECT_EQ(text::printable("a\nError: b\x1b[31m\x7f"), "a\\x0aError: b\\x1b[31m\\x7f");
    EXPECT_EQ(text::printable("Grüße"), "Grüße");
}

TEST(Text, lists_are_ordered_without_regard_to_case) {
    EXPECT_TRUE(text::name_less("apple", "Banana"));
    EXPECT_TRUE(text::name_less("Apple", "banana"));
    EXPECT_TRUE(text::name_less("A", "a")); // a tie: by bytes
    EXPECT_FALSE(text::name_less("a", "A"));
    EXPECT_FALSE(text::name_less("a", "a"));
    EXPECT_TRUE(text::name_less("a", "ab"));
}

TEST(Text, parts_of_a_path) {
    EXPECT_EQ(text::base_name("/a/b"), "b");
    EXPECT_EQ(text::base_name("b"), "b");
    EXPECT_EQ(text::folder_of("/a/b"), "/a");
    EXPECT_EQ(text::folder_of("/b"), "/");
    EXPECT_EQ(text::folder_of("b"), ".");
    EXPECT_TRUE(text::starts_with_slash("/a"));
    EXPECT_FALSE(text::starts_with_slash(""));
}
