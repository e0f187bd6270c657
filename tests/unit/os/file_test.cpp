#include "os/file_system.h"
#include "scratch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace domsnap;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

/// Another umask while it lives.
struct Umask {
    explicit Umask(mode_t mask) : before(::umask(mask)) {}
    ~Umask() { ::umask(before); }
    mode_t before;
};

std::string words(ErrorCode code, const std::function<void()>& action) {
    return error_of(code, action).what();
}

} // namespace

TEST(File, durable_write_is_read_back_and_private) {
    const Scratch scratch;
    const std::string path = scratch / "f";
    const std::string content("a\0b\n", 4);
    const Umask odd(0277);
    os::write_file_durably(path, content);
    EXPECT_EQ(os::read_file(path, 100), content);
    EXPECT_EQ(os::file_info(path)->mode, 0600U);
    os::write_file_durably(path, "new");
    EXPECT_EQ(os::read_file(path, 100), "new");
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre("f"));
}

TEST(File, a_file_is_replaced_not_written_into) {
    const Scratch scratch;
    os::write_file(scratch / "f", "old");
    const os::Fd reader = os::open_read(scratch / "f");
    os::write_file(scratch / "f", "new and longer");
    char seen[3];
    os::read_at(reader.get(), seen, 3, 0, "f");
    EXPECT_EQ(std::string(seen, 3), "old");
}

TEST(File, a_failed_write_leaves_nothing_behind) {
    const Scratch scratch;
    ASSERT_EQ(::mkdir((scratch / "d").c_str(), 0700), 0);
    os::write_file(scratch / "d/inside", "");
    error_of(ErrorCode::io,
             [&] { os::write_file_durably(scratch / "d", "x"); }); // a folder cannot be replaced
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre("d"));
}

TEST(File, writing_into_a_missing_folder_names_it) {
    const Scratch scratch;
    EXPECT_THAT(words(ErrorCode::not_found, [&] { os::write_file_durably(scratch / "no/f", "x"); }),
                HasSubstr("/no/"));
}

TEST(File, the_longest_name_can_be_written) {
    const Scratch scratch;
    const std::string name(255, 'n');
    os::write_file_durably(scratch / name, "x");
    EXPECT_TRUE(os::exists(scratch / name));
    error_of(ErrorCode::io, [&] { os::write_file_durably(scratch / (name + "n"), "x"); });
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre(name));
}

TEST(File, reading_has_a_bound) {
    const Scratch scratch;
    os::write_file(scratch / "f", std::string(100'000, 'x'));
    EXPECT_EQ(os::read_file(scratch / "f", 100'000).size(), 100'000U);
    EXPECT_THAT(words(ErrorCode::corrupt, [&] { os::read_file(scratch / "f", 99'999); }),
                HasSubstr("larger"));
    EXPECT_EQ(os::read_file_start(scratch / "f", 10), "xxxxxxxxxx");
    EXPECT_EQ(os::read_file_start(scratch / "f", 1'000'000).size(), 100'000U);
}

TEST(File, files_that_say_size_0_are_read_to_their_end) {
    EXPECT_THAT(os::read_file("/proc/self/status", 1 << 20), HasSubstr("Pid:"));
}

TEST(File, reading_what_cannot_be_read) {
    const Scratch scratch;
    const Error missing = error_of(ErrorCode::not_found, [&] { os::read_file(scratch / "no", 10); });
    EXPECT_THAT(missing.what(), HasSubstr(scratch / "no"));
    EXPECT_THAT(missing.what(), HasSubstr("No such file"));
    error_of(ErrorCode::io, [&] { os::read_file(scratch.path(), 10); });
    ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(os::read_file(scratch / "fifo", 10), ""); // and does not wait for a writer
}

TEST(File, own_files_are_regular_and_bounded) {
    const Scratch scratch;
    EXPECT_EQ(os::read_own_file(scratch / "none", 10), std::nullopt);
    EXPECT_EQ(os::read_own_file(scratch / "none/f", 10), std::nullopt);
    os::write_file(scratch / "f", "0123456789");
    EXPECT_EQ(os::read_own_file(scratch / "f", 10), "0123456789");
    EXPECT_THAT(words(ErrorCode::corrupt, [&] { os::read_own_file(scratch / "f", 9); }),
                HasSubstr("larger than"));
    os::write_file(scratch / "empty", "");
    EXPECT_EQ(os::read_own_file(scratch / "empty", 0), "");
    ASSERT_EQ(::symlink("f", (scratch / "link").c_str()), 0);
    ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
    for (const std::string& path : {scratch / "link", scratch / "fifo", scratch.path()})
        EXPECT_THAT(words(ErrorCode::corrupt, [&] { os::read_own_file(path, 10); }),
                    HasSubstr("not a regular file"));
}

TEST(File, create_exclusive_refuses_every_kind_of_existing_name) {
    const Scratch scratch;
    os::write_file(scratch / "f", "keep");
    ASSERT_EQ(::symlink("/nowhere/at/all", (scratch / "dangling").c_str()), 0);
    EXPECT_THAT(words(ErrorCode::conflict, [&] { os::create_exclusive(scratch / "f"); }),
                HasSubstr("exists"));
    error_of(ErrorCode::conflict, [&] { os::create_exclusive(scratch / "dangling"); });
    error_of(ErrorCode::conflict, [&] { os::create_exclusive(scratch.path()); });
    error_of(ErrorCode::not_found, [&] { os::create_exclusive(scratch / "no/f"); });
    EXPECT_EQ(os::read_file(scratch / "f", 10), "keep");
}

TEST(File, created_files_are_private_and_close_on_exec) {
    const Scratch scratch;
    const Umask open(0);
    const os::Fd fd = os::create_exclusive(scratch / "f");
    EXPECT_EQ(os::file_info(scratch / "f")->mode, 0600U);
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(os::open_read(scratch / "f").get(), F_GETFD), FD_CLOEXEC);
    error_of(ErrorCode::not_found, [&] { os::open_read_write(scratch / "no"); });
}

TEST(File, info_tells_what_is_there) {
    const Scratch scratch;
    os::write_file(scratch / "f", "12345");
    ASSERT_EQ(::symlink("f", (scratch / "link").c_str()), 0);
    ASSERT_EQ(::symlink("gone", (scratch / "dangling").c_str()), 0);
    EXPECT_TRUE(os::file_info(scratch / "f")->is_regular);
    EXPECT_EQ(os::file_info(scratch / "link")->size, 5U);
    EXPECT_EQ(os::file_info(scratch / "link")->inode, os::file_info(scratch / "f")->inode);
    EXPECT_TRUE(os::file_info(scratch / "link", false)->is_symlink);
    EXPECT_TRUE(os::file_info(scratch.path())->is_folder);
    EXPECT_FALSE(os::exists(scratch / "dangling"));
    EXPECT_TRUE(os::file_info(scratch / "dangling", false));
    EXPECT_FALSE(os::exists(scratch / "f/below-a-file"));
    EXPECT_FALSE(os::exists(scratch / std::string(300, 'x'))); // a file of that name cannot be
    ASSERT_EQ(::symlink("loop", (scratch / "loop").c_str()), 0);
    error_of(ErrorCode::io, [&] { os::file_info(scratch / "loop"); });
}

TEST(File, removing_and_renaming) {
    const Scratch scratch;
    os::make_folders(scratch / "d");
    os::write_file(scratch / "f", "1");
    os::rename_durably(scratch / "f", scratch / "d/g");
    EXPECT_EQ(os::read_file(scratch / "d/g", 10), "1");
    EXPECT_TRUE(os::remove_file_durably(scratch / "d/g"));
    EXPECT_FALSE(os::remove_file_durably(scratch / "d/g"));
    error_of(ErrorCode::io, [&] { os::remove_file_durably(scratch / "d"); });
    EXPECT_THAT(words(ErrorCode::not_found, [&] { os::rename_durably(scratch / "f", scratch / "h"); }),
                HasSubstr("/h'"));
}

TEST(File, positioned_io_says_where_a_file_ends) {
    const Scratch scratch;
    const os::Fd fd = os::create_exclusive(scratch / "f");
    os::write_at(fd.get(), "abc", 3, 10, "f");
    char byte[4] = {};
    os::read_at(fd.get(), byte, 3, 10, "f");
    EXPECT_STREQ(byte, "abc");
    EXPECT_THAT(words(ErrorCode::corrupt, [&] { os::read_at(fd.get(), byte, 4, 10, "the-name"); }),
                ::testing::AllOf(HasSubstr("the-name"), HasSubstr("byte 13")));
    const os::Fd read_only = os::open_read(scratch / "f");
    error_of(ErrorCode::io, [&] { os::write_at(read_only.get(), "x", 1, 0, "f"); });
}

TEST(File, a_full_device_says_so_with_what_is_free) {
    const os::Fd full = os::open_read_write("/dev/full");
    const Error error = error_of(ErrorCode::io, [&] { os::write_all(full.get(), "x", 1, "/dev/full"); });
    EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
    EXPECT_THAT(error.hint(), HasSubstr("are left"));
}

TEST(Folder, made_with_their_parents_and_private) {
    const Scratch scratch;
    const Umask odd(0377);
    os::make_folders(scratch / "a/b//c/");
    for (const char* name : {"a", "a/b", "a/b/c"})
        EXPECT_EQ(os::file_info(scratch / name)->mode, 0700U) << name;
    os::make_folders(scratch / "a/b/c");
    os::write_file(scratch / "f", "");
    error_of(ErrorCode::conflict, [&] { os::make_folders(scratch / "f"); });
    error_of(ErrorCode::not_found, [&] { os::make_folders(scratch / "f/g"); });
}

TEST(Folder, a_folder_that_is_there_keeps_its_mode) {
    const Scratch scratch;
    ASSERT_EQ(::mkdir((scratch / "d").c_str(), 0700), 0);
    ASSERT_EQ(::chmod((scratch / "d").c_str(), 0755), 0);
    os::make_folders(scratch / "d/e");
    EXPECT_EQ(os::file_info(scratch / "d")->mode, 0755U);
}

TEST(Folder, listed_in_order) {
    const Scratch scratch;
    for (const char* name : {"b", "a", ".c"})
        os::write_file(scratch / name, "");
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre(".c", "a", "b"));
    EXPECT_THAT(os::list_folder(scratch / "no"), IsEmpty());
    error_of(ErrorCode::not_found, [&] { os::list_folder(scratch / "a"); });
}

TEST(Folder, a_tree_is_removed_and_what_its_links_name_is_not) {
    const Scratch scratch;
    os::make_folders(scratch / "keep");
    os::write_file(scratch / "keep/f", "");
    os::make_folders(scratch / "tree/deep/er");
    os::write_file(scratch / "tree/deep/f", "");
    ASSERT_EQ(::symlink((scratch / "keep").c_str(), (scratch / "tree/link").c_str()), 0);
    ASSERT_EQ(::symlink((scratch / "keep").c_str(), (scratch / "toplink").c_str()), 0);
    os::remove_tree(scratch / "tree");
    os::remove_tree(scratch / "toplink");
    os::remove_tree(scratch / "was-never-there");
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre("keep"));
    EXPECT_THAT(os::list_folder(scratch / "keep"), ElementsAre("f"));
}

TEST(Folder, writable_or_not) {
    const Scratch scratch;
    os::write_file(scratch / "f", "");
    EXPECT_TRUE(os::is_writable_folder(scratch.path()));
    EXPECT_FALSE(os::is_writable_folder(scratch / "f"));
    EXPECT_FALSE(os::is_writable_folder(scratch / "no"));
    EXPECT_FALSE(os::is_writable_folder("/proc/self"));
}

TEST(File, free_space_of_a_path_that_is_not_there_yet) {
    const Scratch scratch;
    EXPECT_GT(os::free_space(scratch / "no/such/file"), 0U);
    EXPECT_GT(os::free_space("relative-and-missing"), 0U);
}

TEST(File, absolute_paths_keep_dot_dot) {
    EXPECT_EQ(os::absolute_path("/a//b/./c/"), "/a/b/c");
    EXPECT_EQ(os::absolute_path("/a/../b"), "/a/../b"); // /a may be a symlink
    EXPECT_EQ(os::absolute_path("/"), "/");
    EXPECT_EQ(os::absolute_path("f"), os::absolute_path(".") + "/f");
}

TEST(File, random_bytes_are_many_and_different) {
    EXPECT_EQ(os::random_bytes(1000).size(), 1000U);
    EXPECT_NE(os::random_bytes(16), os::random_bytes(16));
    EXPECT_EQ(os::random_bytes(0), "");
}
