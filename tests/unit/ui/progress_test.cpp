#include "ui/plan.h"
#include "ui/progress.h"
#include "ui/time.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {
namespace {

constexpr uint64_t mib = 1 << 20;

TEST(ProgressLine, OnATerminalIsRedrawn) {
    ProgressLine line(true, 80);
    EXPECT_EQ(line.update({"memory", 0, 1000 * mib}, 0),
              "\rmemory   0 % [>                                       ] 0 bytes of 1000 MiB\x1b[K");
    EXPECT_EQ(line.update({"memory", 10 * mib, 1000 * mib}, 0.05), "");
    EXPECT_EQ(line.update({"memory", 200 * mib, 1000 * mib}, 2),
              "\rmemory  20 % [====>                  ] 200 MiB of 1000 MiB, 100 MiB/s, 8 s left\x1b[K");
    EXPECT_EQ(line.clear(), "\r\x1b[K");
    EXPECT_EQ(line.clear(), "");
}

TEST(ProgressLine, TheEndIsShownAtOnce) {
    ProgressLine line(true, 80);
    line.update({"vda", 0, 10 * mib}, 0);
    EXPECT_NE(line.update({"vda", 10 * mib, 10 * mib}, 0.01).find("vda 100 %"), std::string::npos);
}

TEST(ProgressLine, ANarrowTerminalIsNeverWrapped) {
    for (size_t width = 4; width < 100; ++width) {
        ProgressLine line(true, width);
        line.update({"m", 0, 4000 * mib}, 0);
        const auto text = line.update({"m", 1234 * mib, 4000 * mib}, 1);
        ASSERT_GE(text.size(), 5u);
        EXPECT_LT(text.size() - 4, std::max<size_t>(width, 8)) << text.substr(1);
    }
}

TEST(ProgressLine, ElsewhereALineNowAndThen) {
    ProgressLine line(false, 80);
    EXPECT_EQ(line.update({"memory", 0, 1000 * mib}, 100), "");
    EXPECT_EQ(line.update({"memory", 100 * mib, 1000 * mib}, 101), "");
    EXPECT_EQ(line.update({"memory", 500 * mib, 1000 * mib}, 105),
              "memory: 50 %, 500 MiB of 1000 MiB, 100 MiB/s, 5 s left\n");
    EXPECT_EQ(line.update({"memory", 600 * mib, 1000 * mib}, 106), "");
    EXPECT_EQ(line.clear(), "");
}

TEST(ProgressLine, AnUnknownTotalHasNoBar) {
    ProgressLine line(true, 80);
    EXPECT_EQ(line.update({"check", 5 * mib, 0}, 0), "\rcheck  5.0 MiB\x1b[K");
}

TEST(ProgressLine, ANewStepStartsItsRateAnew) {
    ProgressLine line(true, 80);
    line.update({"vda", 0, 1000 * mib}, 0);
    line.update({"vda", 900 * mib, 1000 * mib}, 1);
    EXPECT_EQ(line.update({"vdb", 0, 1000 * mib}, 2).find("/s"), std::string::npos);
}

TEST(Span, AsPeopleReadIt) {
    EXPECT_EQ(span(0.2), "1 s");
    EXPECT_EQ(span(125), "2 min 05 s");
    EXPECT_EQ(span(4800), "1 h 20 min");
    EXPECT_EQ(span(-5), "0 s");
}

PlanView sample() {
    return {"snapshot-create",
            {{"check that nothing has changed", {}, false, false},
             {"create the overlay of vda", {"/img/vda.s1"}, false, false},
             {"switch the disks and start the capture", {"/img/vda.s1", "/img/mem.s1"}, true, true},
             {"write the record", {}, false, true}},
            "stands still for some milliseconds",
            3ull << 29,
            {"the memory image will lie on the disk that is 91 % full"},
            {"copy disk vdb now"}};
}

TEST(Plan, AsText) {
    EXPECT_EQ(plan_text(sample()),
              "Plan of snapshot-create:\n"
              "  1. check that nothing has changed\n"
              "  2. create the overlay of vda\n"
              "       /img/vda.s1\n"
              "     ---- up to here a failure is undone; from here on it is finished ----\n"
              "  3. switch the disks and start the capture  [guest paused]\n"
              "       /img/vda.s1\n"
              "       /img/mem.s1\n"
              "  4. write the record\n"
              "Guest:    stands still for some milliseconds\n"
              "Space:    up to 1.5 GiB\n"
              "Warning:  the memory image will lie on the disk that is 91 % full\n"
              "Then:     copy disk vdb now\n"
              "Nothing has been changed.\n");
}

TEST(Plan, WithNoWayBackFromTheStart) {
    EXPECT_EQ(plan_text({"snapshot-delete", {{"remove the record", {}, false, true}}, "", 0, {}, {}}),
              "Plan of snapshot-delete:\n"
              "     ---- a failure from here on is finished, not undone ----\n"
              "  1. remove the record\n"
              "Space:    next to nothing\n"
              "Nothing has been changed.\n");
}

TEST(Plan, AsJson) {
    const auto json = nlohmann::json::parse(plan_json(sample()));
    EXPECT_EQ(json["operation"], "snapshot-create");
    EXPECT_EQ(json["steps"][2]["guestPaused"], true);
    EXPECT_EQ(json["steps"][1]["pointOfNoReturn"], false);
    EXPECT_EQ(json["steps"][2]["files"].size(), 2u);
    EXPECT_EQ(json["space"], 3ull << 29);
    EXPECT_EQ(json["warnings"].size(), 1u);
}

} // namespace
} // namespace domsnap::ui
