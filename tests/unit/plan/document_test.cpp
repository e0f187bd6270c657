// docs/snapshot-xml.md shows the table that the planner uses.
#include "plan/table.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace domsnap::plan {

TEST(Documents, TheManualsTableIsThePlanners) {
    std::ifstream file(TEST_DATA "/../../../docs/snapshot-xml.md");
    std::stringstream page;
    page << file.rdbuf();
    EXPECT_THAT(page.str(), testing::HasSubstr("```\n" + table_text() + "```\n"));
}

} // namespace domsnap::plan
