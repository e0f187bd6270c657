// Large trees of records: all of them together, and what is asked of one while others cannot be read.
#include "records.h"

#include <gmock/gmock.h>

using namespace domsnap;
using ::testing::HasSubstr;

namespace {

/// A binary tree of records, the current one its last; enough of them to be read by two threads. Without the
/// syncs of a put_record, which would take long.
class Reading : public ::testing::Test {
  protected:
    static constexpr unsigned count = 2100;

    void SetUp() override {
        folder.put_definition(domain_without_disks);
        for (unsigned i = 0; i < count; ++i)
            os::write_file(folder.record_path(name(i)),
                           store::wrap("record", record_of(name(i), i ? name((i - 1) / 2) : "")));
        folder.set_current(name(count - 1));
    }
    static std::string name(unsigned i) { return fmt::format("s{}", i); }
    void damage(unsigned i) { os::write_file(folder.record_path(name(i)), "no record"); }

    Scratch scratch;
    store::DomainFolder folder{scratch / "state", "g"};
    Host host{{.state = scratch / "state", .runtime = scratch / "run"}};
};

TEST_F(Reading, of_a_large_tree_finds_every_record_once) {
    const auto all = host.snapshots("g");
    ASSERT_EQ(all.size(), count);
    std::set<std::string> names;
    for (const auto& one : all)
        names.insert(one.name);
    EXPECT_EQ(names.size(), count);
    const auto root = host.snapshot_info("g", "s0");
    EXPECT_EQ(root.descendants, count - 1);
    EXPECT_EQ(root.children, 2U);
}

TEST_F(Reading, of_a_large_tree_tells_of_each_damaged_record) {
    for (const unsigned i : {0U, 1000U, count - 1}) {
        const auto content = os::read_file(folder.record_path(name(i)), 1 << 20);
        damage(i);
        EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { host.snapshots("g"); }).what(),
                    HasSubstr(folder.record_path(name(i))));
        os::write_file(folder.record_path(name(i)), content);
    }
    EXPECT_EQ(host.snapshots("g").size(), count);
}

TEST_F(Reading, of_one_does_not_need_the_others) {
    for (unsigned i = 10; i < 40; ++i)
        damage(i);
    EXPECT_EQ(host.snapshot_current("g"), name(count - 1));
    EXPECT_EQ(host.snapshot_parent("g", name(count - 1)), name((count - 2) / 2));
    EXPECT_THAT(host.snapshot_xml("g", "s9"), HasSubstr("<name>s9</name>"));
    CreateOptions redefine;
    redefine.redefine = true;
    EXPECT_EQ(host.snapshot_create("g", record_of("new", "s9"), redefine).name, "new");
    EXPECT_EQ(host.snapshot_parent("g", "new"), "s9");
    EXPECT_THAT(error_of(ErrorCode::invalid_request,
                         [&] { host.snapshot_create("g", record_of("s1", "s9"), redefine); })
                    .what(),
                HasSubstr("parent s9 would create cycle to s1"));
}

} // namespace
