// The limits of control groups, in folders that are made up.
#include "os/file.h"
#include "os/host_memory.h"

#include "scratch.h"

#include <gtest/gtest.h>

namespace domsnap::os {

namespace {

class ControlGroups : public ::testing::Test {
  protected:
    void put(const std::string& file, const std::string& content) const {
        const auto path = scratch / ("groups/" + file);
        make_folders(path.substr(0, path.rfind('/')));
        write_file(path, content);
    }
    uint64_t left(const std::string& of_process) const {
        write_file(scratch / "cgroup", of_process);
        return left_by_control_groups(scratch / "cgroup", scratch / "groups");
    }
    Scratch scratch;
};

} // namespace

TEST_F(ControlGroups, TheLeastOfTheOwnOneAndThoseThatItLiesInCounts) {
    put("a/memory.max", "1000000\n");
    put("a/memory.current", "400000\n");
    put("a/b/memory.max", "max\n");
    put("a/b/memory.current", "300000\n");
    EXPECT_EQ(left("0::/a/b\n"), 600000U);
    put("a/b/memory.max", "500000\n");
    EXPECT_EQ(left("0::/a/b\n"), 200000U);
    EXPECT_EQ(left("0::/a\n"), 600000U);
}

TEST_F(ControlGroups, PagesOfFilesAreGivenBackBeforeAnythingIsKilled) {
    put("a/memory.max", "1000000\n");
    put("a/memory.current", "900000\n");
    put("a/memory.stat", "anon 500000\nfile 400000\ninactive_file 100000\nactive_file 200000\n");
    EXPECT_EQ(left("0::/a\n"), 400000U);
}

TEST_F(ControlGroups, OfTheFirstVersionTheMemoryControllerCounts) {
    put("memory/a/memory.limit_in_bytes", "1000000\n");
    put("memory/a/memory.usage_in_bytes", "900000\n");
    put("memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\ntotal_active_file 50000\n");
    put("memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("memory/memory.usage_in_bytes", "5000000\n");
    EXPECT_EQ(left("9:cpu,cpuacct:/x\n4:memory:/a\n0::/\n"), 250000U);
}

TEST_F(ControlGroups, AContainerSeesItsOwnAtTheTop) {
    put("memory.max", "1000000\n");
    put("memory.current", "1200000\n");
    EXPECT_EQ(left("0::/docker/0123\n"), 0U) << "more than there may be";
    EXPECT_EQ(left("0::/../other\n"), 0U);
    EXPECT_EQ(left("0::/\n"), 0U);
}

TEST_F(ControlGroups, WithoutALimitThereIsNone) {
    put("a/memory.max", "max\n");
    put("a/memory.current", "300000\n");
    for (const std::string groups : {"0::/a\n", "0::/elsewhere\n", "", "nonsense\n"})
        EXPECT_EQ(left(groups), UINT64_MAX) << groups;
    EXPECT_EQ(left_by_control_groups(scratch / "not-there", scratch / "groups"), UINT64_MAX);
}

TEST_F(ControlGroups, NoMoreIsAvailableThanTheHostHas) {
    EXPECT_GT(available_memory(), 0U);
    EXPECT_LT(available_memory(), host_memory("MemTotal"));
}

} // namespace domsnap::os
