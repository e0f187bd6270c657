#include "images.h"

using namespace domsnap;
using ::testing::HasSubstr;

TEST_F(Chain, commit_of_the_top_into_the_middle) {
    image::commit(top, "qcow2", mid, {});
    EXPECT_TRUE(content_is_whole(mid));
    EXPECT_TRUE(content_is_whole(top));
    EXPECT_TRUE(holds(base, 0, "64k")); // not touched
}

TEST_F(Chain, commit_of_the_top_into_the_base) {
    image::commit(top, "qcow2", base, {});
    EXPECT_TRUE(content_is_whole(base));
    EXPECT_TRUE(image::check(base, "qcow2").clean);
}

TEST_F(Chain, commit_into_a_stranger_is_refused) {
    image::create(scratch / "other", "qcow2", size);
    const Error error =
        error_of(ErrorCode::conflict, [&] { image::commit(top, "qcow2", scratch / "other", {}); });
    EXPECT_THAT(error.what(), HasSubstr("not below"));
    error_of(ErrorCode::conflict, [&] { image::commit(top, "qcow2", top, {}); });
    error_of(ErrorCode::not_found, [&] { image::commit(top, "qcow2", scratch / "no", {}); });
}

TEST_F(Chain, commit_into_a_larger_chain_keeps_a_grown_disk) {
    image::create_overlay(scratch / "grown", top, "qcow2", 2 * size);
    fill(scratch / "grown", 4, "6M");
    image::commit(scratch / "grown", "qcow2", base, {});
    EXPECT_EQ(image::info(base, "qcow2").virtual_size, 2 * size);
    EXPECT_TRUE(content_is_whole(base));
    EXPECT_TRUE(holds(base, 4, "6M"));
}

TEST_F(Chain, progress_names_the_file_and_never_goes_back) {
    std::vector<Progress> seen;
    Control control;
    control.progress = [&](const Progress& progress) { seen.push_back(progress); };
    image::commit(top, "qcow2", base, control);
    ASSERT_FALSE(seen.empty());
    for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i].what, "top.qcow2");
        EXPECT_LE(seen[i].done, seen[i].total);
        EXPECT_GE(seen[i].done, i > 0 ? seen[i - 1].done : 0);
    }
    EXPECT_EQ(seen.back().done, seen.back().total);
}

TEST_F(Chain, cancelled_before_the_end_it_still_holds) {
    const CancelFlag cancel{true};
    Control control;
    control.cancel = &cancel;
    fill(top, 5, "1M", "2M");
    const auto images_before = image::chain(top, "qcow2").size();
    error_of(ErrorCode::cancelled, [&] { image::commit(top, "qcow2", base, control); });
    error_of(ErrorCode::cancelled, [&] { image::rebase(top, "qcow2", base, "qcow2", false, control); });
    EXPECT_EQ(image::chain(top, "qcow2").size(), images_before);
    EXPECT_TRUE(content_is_whole(top));
    EXPECT_TRUE(holds(top, 5, "1M", "2M"));
}

TEST_F(Chain, safe_rebase_keeps_the_content) {
    image::rebase(top, "qcow2", base, "qcow2", false, {});
    EXPECT_EQ(image::info(top, "qcow2").backing_path, base);
    os::remove_file_durably(mid);
    EXPECT_TRUE(content_is_whole(top));
}

TEST_F(Chain, safe_rebase_onto_nothing_makes_it_independent) {
    image::rebase(top, "qcow2", "", "", false, {});
    EXPECT_EQ(image::info(top, "qcow2").backing_path, "");
    os::remove_file_durably(mid);
    os::remove_file_durably(base);
    EXPECT_TRUE(content_is_whole(top));
}

TEST_F(Chain, unsafe_rebase_changes_the_header_alone) {
    os::rename_durably(mid, scratch / "moved.qcow2");
    image::rebase(top, "qcow2", scratch / "moved.qcow2", "qcow2", true, {});
    EXPECT_EQ(image::info(top, "qcow2").backing_path, scratch / "moved.qcow2");
    EXPECT_EQ(image::info(top, "qcow2").backing_format, "qcow2");
    EXPECT_TRUE(content_is_whole(top));
    image::rebase(top, "qcow2", base, "qcow2", true, {});
    EXPECT_TRUE(holds(top, 0, "64k")); // what the middle held is no longer seen: that is what unsafe means
}

TEST_F(Chain, rebase_onto_what_is_missing_changes_nothing) {
    for (const bool unsafe : {false, true})
        error_of(ErrorCode::not_found,
                 [&] { image::rebase(top, "qcow2", scratch / "no", "qcow2", unsafe, {}); });
    EXPECT_EQ(image::info(top, "qcow2").backing_path, mid);
}

TEST_F(Chain, a_safe_rebase_of_a_broken_chain_names_the_missing_file) {
    os::remove_file_durably(mid);
    const Error error =
        error_of(ErrorCode::not_found, [&] { image::rebase(top, "qcow2", base, "qcow2", false, {}); });
    EXPECT_THAT(error.what(), HasSubstr(mid));
}

TEST_F(Chain, equal_content_across_formats_and_chains) {
    raw_qemu_img({"convert", "-f", "qcow2", "-O", "raw", top, scratch / "flat.raw"});
    EXPECT_TRUE(image::same_content(top, "qcow2", scratch / "flat.raw", "raw"));
    EXPECT_FALSE(image::same_content(mid, "qcow2", scratch / "flat.raw", "raw"));
    image::create_overlay(scratch / "longer", top, "qcow2", 2 * size);
    EXPECT_FALSE(image::same_content(scratch / "longer", "qcow2", top, "qcow2"));
    error_of(ErrorCode::not_found, [&] { image::same_content(top, "qcow2", scratch / "no", "raw"); });
}

TEST_F(Chain, check_finds_damage_and_does_not_need_what_is_below) {
    os::remove_file_durably(base);
    EXPECT_TRUE(image::check(mid, "qcow2").clean);
    // The first cluster of the refcount table (at 48 in the header is its offset) says that nothing is in
    // use.
    uint8_t offset[8];
    const os::Fd fd = os::open_read_write(mid);
    os::read_at(fd.get(), offset, 8, 48, mid);
    uint64_t table = 0;
    for (const uint8_t byte : offset)
        table = table << 8 | byte;
    uint8_t entry[8];
    os::read_at(fd.get(), entry, 8, table, mid);
    uint64_t block = 0;
    for (const uint8_t byte : entry)
        block = block << 8 | byte;
    os::write_at(fd.get(), std::string(16, '\0').data(), 16, block, mid);
    const auto result = image::check(mid, "qcow2");
    EXPECT_FALSE(result.clean);
    EXPECT_GT(result.corruptions, 0U);
    EXPECT_THAT(result.words, HasSubstr("corruptions"));
}

TEST(Check, a_leak_is_counted_and_a_raw_image_holds_nothing_to_check) {
    const Scratch scratch;
    image::create(scratch / "r", "raw", 1 << 20);
    EXPECT_TRUE(image::check(scratch / "r", "raw").clean);
    os::write_file(scratch / "text", "no image");
    error_of(ErrorCode::corrupt, [&] { image::check(scratch / "text", "qcow2"); });
    error_of(ErrorCode::not_found, [&] { image::check(scratch / "no", "qcow2"); });
}
