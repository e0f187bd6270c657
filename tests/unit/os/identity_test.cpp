#include "os/identity.h"

#include "scratch.h"

#include <unistd.h>

namespace domsnap {

TEST(FileIdentity, tells_a_file_from_what_took_its_place) {
    const Scratch scratch;
    const auto path = scratch / "f";
    os::write_file(path, "one");
    const auto before = os::file_identity(path);
    ASSERT_TRUE(before);
    EXPECT_TRUE(before->is_regular);
    EXPECT_EQ(before->size, 3U);
    EXPECT_EQ(before->inode, os::file_info(path)->inode);
    EXPECT_EQ(before->modified / 1'000'000'000, static_cast<uint64_t>(os::file_info(path)->modified));
    os::write_file(path, "two"); // by rename: another file
    const auto after = os::file_identity(path);
    EXPECT_TRUE(after->inode != before->inode || after->born != before->born);
}

TEST(FileIdentity, follows_symlinks_and_says_nothing_of_what_is_not_there) {
    const Scratch scratch;
    os::write_file(scratch / "f", "x");
    ASSERT_EQ(::symlink("f", (scratch / "link").c_str()), 0);
    EXPECT_EQ(os::file_identity(scratch / "link")->inode, os::file_identity(scratch / "f")->inode);
    EXPECT_FALSE(os::file_identity(scratch / "no"));
    EXPECT_FALSE(os::file_identity(scratch / "f/below"));
}

} // namespace domsnap
