// Folders of our own that others could get at are refused, or made private.
#include "os/guard.h"
#include "scratch.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap {

using ::testing::HasSubstr;

TEST(PrivateFolder, a_symlink_in_its_place_is_refused) {
    const Scratch scratch;
    os::make_folders(scratch / "real");
    ASSERT_EQ(::symlink("real", (scratch / "link").c_str()), 0);
    ASSERT_EQ(::symlink("nothing", (scratch / "dangling").c_str()), 0);
    os::write_file(scratch / "file", "");
    for (const auto* name : {"link", "dangling", "file"}) {
        const Error error =
            error_of(ErrorCode::corrupt, [&] { os::require_private_folder(scratch / name); });
        EXPECT_THAT(error.what(), HasSubstr(scratch / name));
    }
    os::guard_folder(scratch / "link"); // the user's own choice
    os::require_private_folder(scratch / "real");
    os::require_private_folder(scratch / "not there");
}

TEST(PrivateFolder, one_that_others_may_write_to_is_refused_and_one_that_they_may_read_is_closed) {
    const Scratch scratch;
    os::make_folders(scratch / "f");
    ASSERT_EQ(::chmod((scratch / "f").c_str(), 0755), 0);
    os::guard_folder(scratch / "f");
    EXPECT_EQ(os::file_info(scratch / "f")->mode, 0755U);
    os::require_private_folder(scratch / "f");
    EXPECT_EQ(os::file_info(scratch / "f")->mode, 0700U);
    for (const mode_t mode : {0770, 0707}) {
        ASSERT_EQ(::chmod((scratch / "f").c_str(), mode), 0);
        error_of(ErrorCode::corrupt, [&] { os::require_private_folder(scratch / "f"); });
        error_of(ErrorCode::corrupt, [&] { os::guard_folder(scratch / "f"); });
    }
}

TEST(PrivateFolder, somebody_elses_is_refused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
    const Scratch scratch;
    os::make_folders(scratch / "f");
    ASSERT_EQ(::chown((scratch / "f").c_str(), 12345, 12345), 0);
    const Error error = error_of(ErrorCode::corrupt, [&] { os::require_private_folder(scratch / "f"); });
    EXPECT_THAT(error.what(), HasSubstr("another user"));
}

} // namespace domsnap
