#include "plan/table.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace domsnap::plan {

using model::Location;

TEST(Table, HasSixtyFourCellsOfWhichThirtyOneAreInvalid) {
    const auto cells = all_cells();
    EXPECT_EQ(cells.size(), 64u);
    const auto invalid =
        std::count_if(cells.begin(), cells.end(), [](const Cell& c) { return !look_up(c).valid(); });
    EXPECT_EQ(invalid, 31);
}

TEST(Table, EveryRefusalSaysWhy) {
    for (const Cell& cell : all_cells()) {
        const auto& outcome = look_up(cell);
        EXPECT_TRUE(outcome.valid() || !outcome.refusal.empty());
        EXPECT_EQ(outcome.refusal.find("no row"), std::string::npos);
    }
}

TEST(Table, MemoryIsNeverSavedOffline) {
    for (const Cell& cell : all_cells())
        if (!cell.online && look_up(cell).valid()) {
            EXPECT_EQ(look_up(cell).memory, Location::no);
        }
}

TEST(Table, WhatIsAskedForIsWhatIsTaken) {
    for (const Cell& cell : all_cells()) {
        const auto& outcome = look_up(cell);
        if (!outcome.valid()) continue;
        if (cell.memory != Location::omitted) {
            EXPECT_EQ(outcome.memory, cell.memory);
        }
        if (cell.disk != Location::omitted) {
            EXPECT_EQ(outcome.disk, cell.disk);
        }
        if (cell.disk_only) {
            EXPECT_EQ(outcome.memory, Location::no);
        }
    }
}

TEST(Table, PrintsARowForEachRuleOfTheRfc) {
    const auto text = table_text();
    EXPECT_NE(text.find("online   omitted            external   off        memory=external disk=external, "
                        "via migrate+transaction"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("invalid (no memory to save: the domain is not running)"), std::string::npos);
}

} // namespace domsnap::plan
