#include "images.h"

#include <cstdlib>
#include <sys/mount.h>
#include <unistd.h>

using namespace domsnap;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Create, an_image_is_private_and_sound) {
    const Scratch scratch;
    image::create(scratch / "a", "qcow2", 3 << 20);
    image::create(scratch / "b", "raw", 3 << 20);
    EXPECT_EQ(os::file_info(scratch / "a")->mode, 0600U);
    EXPECT_EQ(os::file_info(scratch / "b")->mode, 0600U);
    EXPECT_EQ(image::info(scratch / "a", "qcow2").virtual_size, 3U << 20);
    EXPECT_EQ(os::file_info(scratch / "b")->size, 3U << 20);
    EXPECT_TRUE(image::check(scratch / "a", "qcow2").clean);
}

TEST(Create, an_existing_file_is_not_overwritten) {
    const Scratch scratch;
    os::write_file(scratch / "precious", "data");
    image::create(scratch / "base", "qcow2", 1 << 20);
    ASSERT_EQ(::symlink("nowhere", (scratch / "dangling").c_str()), 0);
    const Error error =
        error_of(ErrorCode::conflict, [&] { image::create(scratch / "precious", "qcow2", 1 << 20); });
    EXPECT_THAT(error.what(), HasSubstr(scratch / "precious"));
    error_of(ErrorCode::conflict,
             [&] { image::create_overlay(scratch / "precious", scratch / "base", "qcow2", 0); });
    error_of(ErrorCode::conflict,
             [&] { image::create_overlay(scratch / "dangling", scratch / "base", "qcow2", 0); });
    EXPECT_EQ(os::read_file(scratch / "precious", 10), "data");
}

TEST(Create, nothing_is_left_of_a_failure) {
    const Scratch scratch;
    error_of(ErrorCode::refused_by_qemu, [&] { image::create(scratch / "a", "no-such-format", 1 << 20); });
    error_of(ErrorCode::not_found, [&] { image::create(scratch / "no/a", "qcow2", 1 << 20); });
    error_of(ErrorCode::not_found,
             [&] { image::create_overlay(scratch / "a", scratch / "no-base", "qcow2", 0); });
    error_of(ErrorCode::invalid_request,
             [&] { image::create_overlay(scratch / "a", "relative", "qcow2", 0); });
    error_of(ErrorCode::invalid_request, [&] { image::create_overlay(scratch / "a", scratch / "b", "", 0); });
    EXPECT_THAT(os::list_folder(scratch.path()), IsEmpty());
}

TEST(Create, an_overlay_keeps_the_backing_path_as_given) {
    const Scratch scratch;
    os::make_folders(scratch / "real");
    image::create(scratch / "real/base", "raw", 1 << 20);
    ASSERT_EQ(::symlink("real", (scratch / "link").c_str()), 0);
    image::create_overlay(scratch / "o", scratch / "link/base", "raw", 2 << 20);
    const auto info = image::info(scratch / "o", "qcow2");
    EXPECT_EQ(info.backing_path, scratch / "link/base");
    EXPECT_EQ(info.backing_format, "raw");
    EXPECT_EQ(info.virtual_size, 2U << 20);
}

TEST(Create, an_overlay_of_a_raw_image_shows_it) {
    const Scratch scratch;
    image::create(scratch / "base", "raw", 1 << 20);
    fill(scratch / "base", 9, "0", "64k", "raw");
    const auto before = os::read_file(scratch / "base", 1 << 20);
    image::create_overlay(scratch / "o", scratch / "base", "raw", 0);
    EXPECT_TRUE(holds(scratch / "o", 9));
    EXPECT_TRUE(image::same_content(scratch / "o", "qcow2", scratch / "base", "raw"));
    fill(scratch / "o", 8);
    EXPECT_EQ(os::read_file(scratch / "base", 1 << 20), before);
}

/// A file system of its own, so that it can be full.
class SmallDisk : public ::testing::Test {
  protected:
    void SetUp() override {
        os::make_folders(folder);
        if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=512k,mode=0700") != 0)
            GTEST_SKIP() << "mounting a small tmpfs needs root";
        mounted = true;
    }
    void TearDown() override {
        if (mounted) ::umount(folder.c_str());
    }
    Scratch scratch;
    std::string folder = scratch / "small";
    bool mounted = false;
};

TEST_F(SmallDisk, a_full_one_is_named_with_what_is_free) {
    os::write_file(folder + "/filler", std::string(448 << 10, 'x'));
    const Error error = error_of(ErrorCode::io, [&] { image::create(folder + "/a", "qcow2", 1 << 30); });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(folder + "/a"), HasSubstr("No space left")));
    EXPECT_THAT(error.hint(), HasSubstr("free on its file system"));
    EXPECT_THAT(os::list_folder(folder), ElementsAre("filler"));
}

TEST_F(SmallDisk, a_commit_that_does_not_fit_loses_nothing) {
    image::create(folder + "/base", "qcow2", 4 << 20);
    const std::string top = scratch / "top";
    image::create_overlay(top, folder + "/base", "qcow2", 0);
    fill(top, 5, "0", "2M");
    const Error error = error_of(ErrorCode::io, [&] { image::commit(top, "qcow2", folder + "/base", {}); });
    EXPECT_THAT(error.what(), HasSubstr("No space left"));
    EXPECT_TRUE(holds(top, 5, "0", "2M"));
}

/// An environment variable, for the length of a test.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* const old = std::getenv(name)) old_ = old;
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

  private:
    const char* name_;
    std::optional<std::string> old_;
};

TEST(Program, the_variable_wins_then_the_given_qemus_folder_then_path) {
    const Scratch scratch;
    for (const char* name : {"qemu-img", "qemu-system-x86_64", "other-img"}) {
        os::write_file(scratch / name, "#!/bin/true\n");
        ASSERT_EQ(::chmod((scratch / name).c_str(), 0700), 0);
    }
    const std::string usual = os::find_program("qemu-img");
    const Variable unset("DOMSNAP_QEMU_IMG", "");
    {
        const Variable qemu("DOMSNAP_QEMU", scratch / "qemu-system-x86_64");
        EXPECT_EQ(image::program(), scratch / "qemu-img");
        const Variable img("DOMSNAP_QEMU_IMG", scratch / "other-img");
        EXPECT_EQ(image::program(), scratch / "other-img");
    }
    const Variable none("DOMSNAP_QEMU", "");
    EXPECT_EQ(image::program(), usual);
}

TEST(Program, a_missing_one_is_an_error_that_helps) {
    const Scratch scratch;
    {
        const Variable img("DOMSNAP_QEMU_IMG", scratch / "no");
        EXPECT_THAT(error_of(ErrorCode::not_found, [] { image::program(); }).what(),
                    HasSubstr("DOMSNAP_QEMU_IMG"));
    }
    const Variable no_img("DOMSNAP_QEMU_IMG", ""), no_qemu("DOMSNAP_QEMU", ""), path("PATH", scratch.path());
    EXPECT_THAT(error_of(ErrorCode::not_found, [] { image::program(); }).hint(), HasSubstr("qemu-utils"));
}
