#include "base/deadline.h"
#include "base/error.h"
#include "base/uuid.h"

#include <gtest/gtest.h>
#include <set>

using namespace domsnap;
using namespace std::chrono_literals;

TEST(Uuid, takes_what_libvirt_takes) {
    const char* const wanted = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
    for (const char* form :
         {"c7a5fdbd-edaf-9455-926a-d65c16db1809", "c7a5fdbdedaf9455926ad65c16db1809",
          "C7A5FDBD-EDAF-9455-926A-D65C16DB1809", "c7a5-fdbd-edaf-9455-926a-d65c-16db-1809"})
        EXPECT_EQ(canonical_uuid(form), wanted) << form;
}

TEST(Uuid, refuses_the_rest) {
    for (const char* bad :
         {"", "c7a5", "c7a5fdbd-edaf-9455-926a-d65c16db180", "c7a5fdbd-edaf-9455-926a-d65c16db18090",
          "g7a5fdbd-edaf-9455-926a-d65c16db1809", "{c7a5fdbd-edaf-9455-926a-d65c16db1809}"})
        EXPECT_EQ(canonical_uuid(bad), std::nullopt) << bad;
}

TEST(Uuid, random_ones_say_version_4) {
    EXPECT_EQ(uuid_from_random({}), "00000000-0000-4000-8000-000000000000");
    UuidBytes ones;
    ones.fill(0xff);
    EXPECT_EQ(uuid_from_random(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(Deadline, passed_or_not) {
    EXPECT_TRUE(Deadline::after(0ms).passed());
    EXPECT_EQ(Deadline::after(-5ms).poll_ms(), 0);
    EXPECT_FALSE(Deadline::never().passed());
    EXPECT_EQ(Deadline::never().poll_ms(), 3'600'000);
    EXPECT_FALSE(Deadline::after(1h).passed());
    EXPECT_EQ(Deadline::after(2h).poll_ms(), 3'600'000);
    EXPECT_TRUE(Deadline::never().or_sooner(0ms).passed());
    EXPECT_TRUE(Deadline::after(0ms).or_sooner(1h).passed());
}

TEST(ErrorCode, every_code_has_a_word_of_its_own) {
    std::set<std::string> words;
    for (int code = 0; code <= static_cast<int>(ErrorCode::outcome_unknown); ++code)
        words.insert(to_string(static_cast<ErrorCode>(code)));
    EXPECT_EQ(words.size(), static_cast<size_t>(ErrorCode::outcome_unknown) + 1);
    EXPECT_EQ(words.count("unknown"), 0U);
}
