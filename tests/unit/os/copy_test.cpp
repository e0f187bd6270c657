#include "scratch.h"

#include <gmock/gmock.h>
#include <unistd.h>

using namespace domsnap;
using ::testing::ElementsAre;

namespace {

constexpr uint64_t far = 64 << 20;

void make_sparse(const std::string& path) {
    const os::Fd fd = os::create_exclusive(path);
    os::write_at(fd.get(), "begin", 5, 0, path);
    os::write_at(fd.get(), "middle", 6, far / 2, path);
    ASSERT_EQ(::ftruncate(fd.get(), far), 0);
}

} // namespace

TEST(Copy, keeps_content_size_and_holes) {
    const Scratch scratch;
    make_sparse(scratch / "from");
    os::copy_file_sparsely(scratch / "from", scratch / "to");
    const auto info = os::file_info(scratch / "to");
    EXPECT_EQ(info->size, far);
    EXPECT_LT(info->allocated, uint64_t{1} << 20);
    EXPECT_EQ(info->mode, 0600U);
    EXPECT_EQ(os::read_file(scratch / "to", far), os::read_file(scratch / "from", far));
}

TEST(Copy, of_an_empty_file_and_of_one_hole) {
    const Scratch scratch;
    os::write_file(scratch / "empty", "");
    os::copy_file_sparsely(scratch / "empty", scratch / "empty2");
    EXPECT_EQ(os::file_info(scratch / "empty2")->size, 0U);
    ASSERT_EQ(::ftruncate(os::create_exclusive(scratch / "hole").get(), 1 << 20), 0);
    os::copy_file_sparsely(scratch / "hole", scratch / "hole2");
    EXPECT_EQ(os::read_file(scratch / "hole2", 1 << 20), std::string(1 << 20, '\0'));
}

TEST(Copy, between_file_systems) {
    if (!os::is_writable_folder("/dev/shm")) GTEST_SKIP() << "no writable /dev/shm";
    const Scratch scratch;
    make_sparse(scratch / "from");
    const std::string to = "/dev/shm/domsnap-copy-test-" + std::to_string(::getpid());
    os::copy_file_sparsely(scratch / "from", to);
    const bool same = os::read_file(to, far) == os::read_file(scratch / "from", far);
    const uint64_t allocated = os::file_info(to)->allocated;
    os::remove_file_durably(to);
    EXPECT_TRUE(same);
    EXPECT_LT(allocated, uint64_t{4} << 20);
}

TEST(Copy, never_overwrites_and_leaves_nothing_after_a_failure) {
    const Scratch scratch;
    os::write_file(scratch / "from", "new");
    os::write_file(scratch / "to", "old");
    error_of(ErrorCode::conflict, [&] { os::copy_file_sparsely(scratch / "from", scratch / "to"); });
    EXPECT_EQ(os::read_file(scratch / "to", 10), "old");
    error_of(ErrorCode::not_found, [&] { os::copy_file_sparsely(scratch / "no", scratch / "new"); });
    EXPECT_ANY_THROW(
        os::copy_file_sparsely(scratch.path(), scratch / "new")); // a folder opens, but cannot be read
    EXPECT_THAT(os::list_folder(scratch.path()), ElementsAre("from", "to"));
}
