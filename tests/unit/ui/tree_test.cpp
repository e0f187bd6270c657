#include "ui/snapshots.h"
#include "ui/tree.h"

#include <gtest/gtest.h>

namespace domsnap::ui {
namespace {

TEST(Tree, AsVirshDrawsIt) {
    EXPECT_EQ(tree({{"a", ""}, {"b", "a"}, {"c", "b"}, {"d", "a"}, {"e", "a"}, {"f", "e"}}), "a\n"
                                                                                             "  |\n"
                                                                                             "  +- b\n"
                                                                                             "  |   |\n"
                                                                                             "  |   +- c\n"
                                                                                             "  |     \n"
                                                                                             "  +- d\n"
                                                                                             "  +- e\n"
                                                                                             "      |\n"
                                                                                             "      +- f\n"
                                                                                             "        \n");
}

TEST(Tree, RootsFollowEachOther) {
    EXPECT_EQ(tree({{"a", ""}, {"b", ""}, {"c", "b"}, {"d", ""}}), "a\n"
                                                                   "\n"
                                                                   "b\n"
                                                                   "  |\n"
                                                                   "  +- c\n"
                                                                   "    \n"
                                                                   "d\n"
                                                                   "\n");
    EXPECT_EQ(tree({}), "");
}

TEST(Tree, AnUnknownParentMakesARootAndACycleEndsNothing) {
    EXPECT_EQ(tree({{"x", "filtered out"}}), "x\n\n");
    EXPECT_EQ(tree({{"p", "q"}, {"q", "p"}}), "");
}

TEST(Tree, ADeepChainIsDrawn) {
    std::vector<TreeNode> nodes{{"0", ""}};
    for (int i = 1; i < 1000; ++i)
        nodes.push_back({std::to_string(i), std::to_string(i - 1)});
    const auto text = tree(nodes);
    EXPECT_NE(text.find("+- 999\n"), std::string::npos);
}

SnapshotInfo node(const std::string& name, const std::string& parent, const std::string& state,
                  bool external) {
    SnapshotInfo info;
    info.name = name;
    info.parent = parent;
    info.state = state;
    info.external = external;
    return info;
}

struct Select : testing::Test {
    //  z ─ b ─ c      m (alone)
    //    └ a
    const std::vector<SnapshotInfo> all{node("a", "z", "shutoff", false), node("b", "z", "running", true),
                                        node("c", "b", "disk-snapshot", true), node("m", "", "paused", false),
                                        node("z", "", "running", false)};
    std::string names(const SnapshotFilter& filter) const {
        std::string out;
        for (const auto& snapshot : select(all, filter))
            out += snapshot.name;
        return out;
    }
};

TEST_F(Select, ByPlaceInTheTree) {
    EXPECT_EQ(names({}), "abcmz");
    EXPECT_EQ(names({.roots = true}), "mz");
    EXPECT_EQ(names({.leaves = true}), "acm");
    EXPECT_EQ(names({.no_leaves = true}), "bz");
    EXPECT_EQ(names({.leaves = true, .no_leaves = true}), "");
    EXPECT_EQ(names({.from = "z"}), "ab");
    EXPECT_EQ(names({.from = "z", .descendants = true}), "abc");
    EXPECT_EQ(names({.from = "z", .keep_from = true}), "abz");
    EXPECT_EQ(names({.from = "m"}), "");
    EXPECT_EQ(names({.topological = true}), "mzabc");
    EXPECT_EQ(names({.from = "z", .descendants = true, .topological = true}), "abc");
}

TEST_F(Select, ByKind) {
    EXPECT_EQ(names({.inactive = true}), "a");
    EXPECT_EQ(names({.active = true}), "bmz");
    EXPECT_EQ(names({.disk_only = true}), "c");
    EXPECT_EQ(names({.inactive = true, .disk_only = true}), "ac");
    EXPECT_EQ(names({.internal = true}), "amz");
    EXPECT_EQ(names({.external = true}), "bc");
    EXPECT_EQ(names({.internal = true, .external = true}), "abcmz");
    EXPECT_EQ(names({.active = true, .internal = true}), "mz");
    EXPECT_EQ(names({.metadata = true}), "abcmz");
    EXPECT_EQ(names({.no_metadata = true}), "");
}

} // namespace
} // namespace domsnap::ui
