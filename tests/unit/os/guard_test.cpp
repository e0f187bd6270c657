// Below a guarded folder nobody is led elsewhere: not by a symlink in a folder's or a file's place, not by a
// folder of somebody else's; and a folder that was swapped is not taken for the one that was there.
#include "os/guard.h"

#include "os/change_watch.h"
#include "os/identity.h"
#include "os/lock.h"
#include "os/open_folder.h"
#include "os/socket.h"
#include "scratch.h"

#include <functional>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

class GuardTest : public ::testing::Test {
  protected:
    void SetUp() override {
        make_folders(own / "inner/folder");
        make_folders(elsewhere);
        write_file(own / "inner/f", "ours");
        write_file(elsewhere + "/f", "theirs");
        guard_folder(own.path());
    }
    /// "inner" leads elsewhere from now on.
    void swap() const {
        rename_durably(own / "inner", scratch / "moved");
        ASSERT_EQ(::symlink(elsewhere.c_str(), (own / "inner").c_str()), 0);
    }

    Scratch scratch;
    struct Own {
        std::string at;
        std::string operator/(const std::string& name) const { return at + "/" + name; }
        const std::string& path() const { return at; }
    } own{scratch / "own"};
    std::string elsewhere = scratch / "elsewhere";
};

const Deadline at_once = Deadline::after(std::chrono::seconds(1));

} // namespace

TEST_F(GuardTest, everything_works_as_elsewhere) {
    const auto path = own / "inner/a/b";
    make_folders(path);
    write_file_durably(path + "/f", "one");
    EXPECT_EQ(read_file(path + "/f", 10), "one");
    EXPECT_EQ(read_own_file(path + "/f", 10), "one");
    EXPECT_EQ(read_own_file(own / "none/f", 10), std::nullopt);
    EXPECT_EQ(file_identity(path + "/f")->size, 3U);
    EXPECT_FALSE(exists(own / "none/f"));
    EXPECT_TRUE(list_folder(own / "none").empty());
    rename_durably(path + "/f", own / "inner/g");
    EXPECT_THAT(list_folder(own / "inner"), ElementsAre("a", "f", "folder", "g"));
    EXPECT_TRUE(FileLock::try_take(own / "inner/lock", LockMode::exclusive, "me"));
    const auto listener = bind_unix(own / "inner/s");
    EXPECT_TRUE(file_info(own / "inner/s")->is_socket);
    EXPECT_TRUE(ChangeWatch().add(own / "inner"));
    remove_tree(own / "inner");
    EXPECT_TRUE(list_folder(own.path()).empty());
}

TEST_F(GuardTest, a_symlink_for_a_folder_is_refused_by_name_whatever_is_done_there) {
    swap();
    const std::vector<std::function<void()>> calls{
        [&] { read_file(own / "inner/f", 10); },
        [&] { read_own_file(own / "inner/f", 10); },
        [&] { read_file_start(own / "inner/f", 10); },
        [&] { file_info(own / "inner/f"); },
        [&] { file_identity(own / "inner/f"); },
        [&] { open_read_write(own / "inner/f"); },
        [&] { create_exclusive(own / "inner/new"); },
        [&] { write_file(own / "inner/f", "new"); },
        [&] { write_file_durably(own / "inner/f", "new"); },
        [&] { remove_file_durably(own / "inner/f"); },
        [&] { rename_durably(own / "inner/f", own / "f"); },
        [&] { rename_durably(scratch / "moved/f", own / "inner/f"); },
        [&] { make_folders(own / "inner/a/b"); },
        [&] { list_folder(own / "inner/folder"); },
        [&] { remove_tree(own / "inner/f"); },
        [&] { remove_unfinished(own / "inner/folder"); },
        [&] { sync_folder(own / "inner/folder"); },
        [&] { copy_file_sparsely(scratch / "moved/f", own / "inner/copy"); },
        [&] { FileLock::try_take(own / "inner/lock", LockMode::exclusive, "me"); },
        [&] { bind_unix(own / "inner/s"); },
        [&] { connect_unix(own / "inner/s", at_once); },
        [&] { ChangeWatch().add(own / "inner/folder"); },
        [&] { OpenFolder(own / "inner/folder"); },
    };
    for (size_t i = 0; i < calls.size(); ++i) {
        SCOPED_TRACE(i);
        EXPECT_THAT(error_of(ErrorCode::corrupt, calls[i]).what(), HasSubstr("'" + (own / "inner") + "'"));
    }
    EXPECT_THAT(list_folder(elsewhere), ElementsAre("f"));
    EXPECT_EQ(read_file(elsewhere + "/f", 10), "theirs");
}

TEST_F(GuardTest, a_symlink_for_a_file_is_not_followed) {
    ASSERT_EQ(::symlink((elsewhere + "/f").c_str(), (own / "link").c_str()), 0);
    ASSERT_EQ(::symlink(elsewhere.c_str(), (own / "linked folder").c_str()), 0);
    EXPECT_TRUE(file_info(own / "link")->is_symlink);
    EXPECT_FALSE(file_identity(own / "link")->is_regular);
    error_of(ErrorCode::io, [&] { read_file(own / "link", 10); });
    error_of(ErrorCode::io, [&] { open_read_write(own / "link"); });
    error_of(ErrorCode::corrupt, [&] { read_own_file(own / "link", 10); });
    error_of(ErrorCode::not_found, [&] { list_folder(own / "linked folder"); });
    write_file(own / "link", "new"); // in its place
    remove_tree(own / "linked folder");
    EXPECT_EQ(read_file(elsewhere + "/f", 10), "theirs");
    EXPECT_EQ(read_file(own / "link", 10), "new");
}

TEST_F(GuardTest, a_folder_that_others_may_write_to_is_refused) {
    ASSERT_EQ(::chmod((own / "inner").c_str(), 0777), 0);
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { read_file(own / "inner/f", 10); }).what(),
                HasSubstr("may be written to by others"));
    ASSERT_EQ(::chmod((own / "inner").c_str(), 0700), 0);
    EXPECT_EQ(read_file(own / "inner/f", 10), "ours");
}

TEST_F(GuardTest, the_folder_that_is_held_stays_the_one_until_somebody_looks_anew) {
    rename_durably(own.path(), scratch / "old");
    rename_durably(elsewhere, own.path());
    write_file(own / "new", "where it was");
    EXPECT_EQ(read_file(scratch / "old/new", 20), "where it was");
    guard_folder(own.path());
    EXPECT_EQ(read_file(own / "f", 10), "theirs");
}

TEST_F(GuardTest, the_users_own_folder_may_be_a_symlink_and_may_come_later) {
    const auto link = scratch / "link", later = scratch / "later";
    ASSERT_EQ(::symlink(own.path().c_str(), link.c_str()), 0);
    guard_folder(link);
    EXPECT_EQ(read_file(link + "/inner/f", 10), "ours");
    guard_folder(later);
    make_folders(later + "/inner");
    ASSERT_EQ(::symlink(elsewhere.c_str(), (later + "/swapped").c_str()), 0);
    error_of(ErrorCode::corrupt, [&] { read_file(later + "/swapped/f", 10); });
}

} // namespace domsnap::os
