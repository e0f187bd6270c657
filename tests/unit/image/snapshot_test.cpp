#include "images.h"

using namespace domsnap;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace {

class Internal : public ::testing::Test {
  protected:
    void SetUp() override {
        image::create(disk, "qcow2", 1 << 20);
        fill(disk, 1);
    }
    std::vector<std::string> tags() const {
        std::vector<std::string> result;
        for (const auto& snapshot : image::info(disk, "qcow2").snapshots)
            result.push_back(snapshot.tag);
        return result;
    }
    Scratch scratch;
    std::string disk = scratch / "disk";
};

} // namespace

TEST_F(Internal, is_made_applied_and_deleted) {
    image::snapshot_create(disk, "one");
    fill(disk, 2);
    image::snapshot_create(disk, "two");
    EXPECT_THAT(tags(), ::testing::ElementsAre("one", "two"));
    EXPECT_EQ(image::info(disk, "qcow2").snapshots[0].vm_state_size, 0U);
    EXPECT_GT(image::info(disk, "qcow2").snapshots[0].date, 1'600'000'000);
    image::snapshot_apply(disk, "one");
    EXPECT_TRUE(holds(disk, 1));
    image::snapshot_apply(disk, "two");
    EXPECT_TRUE(holds(disk, 2));
    image::snapshot_delete(disk, "one");
    EXPECT_THAT(tags(), ::testing::ElementsAre("two"));
    EXPECT_TRUE(holds(disk, 2));
    EXPECT_TRUE(image::check(disk, "qcow2").clean);
}

TEST_F(Internal, a_tag_is_used_once) {
    image::snapshot_create(disk, "t");
    const Error error = error_of(ErrorCode::conflict, [&] { image::snapshot_create(disk, "t"); });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(disk), HasSubstr("'t'")));
    EXPECT_EQ(tags().size(), 1U);
}

TEST_F(Internal, a_missing_one_is_not_found) {
    EXPECT_THAT(error_of(ErrorCode::not_found, [&] { image::snapshot_apply(disk, "t"); }).what(),
                HasSubstr("'t'"));
    error_of(ErrorCode::not_found, [&] { image::snapshot_delete(disk, "t"); });
    error_of(ErrorCode::not_found, [&] { image::snapshot_create(scratch / "no", "t"); });
}

TEST_F(Internal, of_two_with_one_tag_none_is_chosen_silently) {
    raw_qemu_img({"snapshot", "-c", "t", disk});
    raw_qemu_img({"snapshot", "-c", "t", disk});
    error_of(ErrorCode::conflict, [&] { image::snapshot_apply(disk, "t"); });
    error_of(ErrorCode::conflict, [&] { image::snapshot_delete(disk, "t"); });
    EXPECT_EQ(tags().size(), 2U);
}

TEST_F(Internal, a_tag_is_not_mistaken_for_an_id) {
    image::snapshot_create(disk, "2"); // with the id 1
    fill(disk, 2);
    image::snapshot_create(disk, "other"); // with the id 2
    fill(disk, 3);
    image::snapshot_apply(disk, "2");
    EXPECT_TRUE(holds(disk, 1));
    image::snapshot_delete(disk, "2");
    EXPECT_THAT(tags(), ::testing::ElementsAre("other"));
}

TEST_F(Internal, tags_may_look_like_options) {
    for (const char* tag : {"-c", "--help", "a b", "ü,x:y"}) {
        image::snapshot_create(disk, tag);
        image::snapshot_apply(disk, tag);
        image::snapshot_delete(disk, tag);
    }
    EXPECT_EQ(tags().size(), 0U);
}

TEST(InternalOfRaw, is_refused) {
    const Scratch scratch;
    image::create(scratch / "raw", "raw", 1 << 20);
    error_of(ErrorCode::corrupt, [&] { image::snapshot_create(scratch / "raw", "t"); });
}
