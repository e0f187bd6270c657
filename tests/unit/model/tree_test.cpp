// Orders and relations; and trees that are too deep, broken or circular.
#include "model/tree.h"

#include "base/error.h"

#include <gtest/gtest.h>

using namespace domsnap;
using namespace domsnap::model;

namespace {

Snapshot named(const std::string& name, const std::string& parent = {}) {
    Snapshot s;
    s.name = name;
    s.parent = parent;
    return s;
}

std::string names(const std::vector<const Snapshot*>& snapshots) {
    std::string out;
    for (const auto* s : snapshots)
        out += s->name + " ";
    return out;
}

SnapshotTree tree() {
    return SnapshotTree({named("f", "e"), named("B", "a"), named("c", "B"), named("d", "a"), named("e", "a"),
                         named("a"), named("s10"), named("s9"), named("lost", "gone")},
                        "c");
}

} // namespace

TEST(SnapshotTree, sorts_without_regard_to_case) {
    const auto t = tree();
    std::string all;
    for (const auto& s : t.all())
        all += s.name + " ";
    EXPECT_EQ(all, "a B c d e f lost s10 s9 ");
}

TEST(SnapshotTree, knows_relations) {
    const auto t = tree();
    EXPECT_EQ(names(t.roots()), "a lost s10 s9 ");
    EXPECT_EQ(names(t.children("a")), "B d e ");
    EXPECT_EQ(names(t.children("c")), "");
    EXPECT_EQ(names(t.descendants("a")), "B c d e f ");
    EXPECT_EQ(names(t.topological()), "a B c d e f lost s10 s9 ");
    EXPECT_TRUE(t.is_ancestor("a", "f"));
    EXPECT_FALSE(t.is_ancestor("f", "a"));
    EXPECT_FALSE(t.is_ancestor("a", "a"));
    EXPECT_EQ(t.current(), "c");
}

TEST(SnapshotTree, says_what_it_does_not_know) {
    EXPECT_EQ(tree().find("zz"), nullptr);
    try {
        static_cast<void>(tree().get("zz"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_STREQ(error.what(), "Domain snapshot not found: no domain snapshot with matching name 'zz'");
    }
}

TEST(SnapshotTree, refuses_cycles_and_doubles) {
    const auto code = [](std::vector<Snapshot> snapshots) {
        try {
            static_cast<void>(SnapshotTree(std::move(snapshots)));
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::outcome_unknown;
    };
    EXPECT_EQ(code({named("a", "b"), named("b", "a"), named("r")}), ErrorCode::corrupt);
    EXPECT_EQ(code({named("a", "a")}), ErrorCode::corrupt);
    EXPECT_EQ(code({named("a"), named("a")}), ErrorCode::corrupt);
}

TEST(SnapshotTree, holds_ten_thousand_in_a_line) {
    std::vector<Snapshot> line;
    for (int i = 0; i < 10'000; ++i)
        line.push_back(named(std::to_string(i), i ? std::to_string(i - 1) : ""));
    const SnapshotTree t(std::move(line));
    EXPECT_EQ(t.topological().size(), 10'000u);
    EXPECT_EQ(t.topological().back()->name, "9999");
    EXPECT_TRUE(t.is_ancestor("0", "9999"));
}
