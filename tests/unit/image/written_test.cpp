// Whether anything was written to an image, by the real qemu-img and qemu-io.
#include "images.h"

using namespace domsnap;

TEST_F(Chain, an_overlay_holds_nothing_until_it_is_written_to) {
    const std::string overlay = scratch / "overlay";
    image::create_overlay(overlay, top, "qcow2", 0);
    EXPECT_TRUE(image::holds_nothing(overlay));
    EXPECT_FALSE(image::holds_nothing(top));
    image::snapshot_create(overlay, "s");
    EXPECT_TRUE(image::holds_nothing(overlay));
    fill(overlay, 0, "2M"); // zeros count: they hide what is below
    EXPECT_FALSE(image::holds_nothing(overlay));
    error_of(ErrorCode::not_found, [&] { image::holds_nothing(scratch / "no"); });
}

TEST_F(Chain, writes_since_an_internal_snapshot_are_seen) {
    image::snapshot_create(base, "s");
    EXPECT_TRUE(image::unchanged_since(base, "s"));
    fill(base, 1); // the same bytes: they were written all the same
    EXPECT_FALSE(image::unchanged_since(base, "s"));
    image::snapshot_create(base, "t");
    EXPECT_TRUE(image::unchanged_since(base, "t"));
    EXPECT_FALSE(image::unchanged_since(base, "s"));
    image::snapshot_apply(base, "s");
    EXPECT_TRUE(image::unchanged_since(base, "s"));
    image::snapshot_delete(base, "t");
    EXPECT_TRUE(image::unchanged_since(base, "s"));
    raw_qemu_img({"resize", "-q", base, "8M"});
    EXPECT_FALSE(image::unchanged_since(base, "s"));
    error_of(ErrorCode::not_found, [&] { image::unchanged_since(base, "t"); });
}

TEST(Written, however_small_the_clusters_are) {
    const Scratch scratch;
    const std::string path = scratch / "disk";
    raw_qemu_img({"create", "-q", "-f", "qcow2", "-o", "cluster_size=512", path, "16M"});
    fill(path, 1, "8M");
    image::snapshot_create(path, "s");
    EXPECT_TRUE(image::unchanged_since(path, "s"));
    for (const char* at : {"0", "8M", "16320k"}) {
        image::snapshot_apply(path, "s");
        EXPECT_TRUE(image::unchanged_since(path, "s"));
        fill(path, 2, at);
        EXPECT_FALSE(image::unchanged_since(path, "s")) << at;
    }
}
