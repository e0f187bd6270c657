#include "images.h"

#include <csignal>
#include <unistd.h>

using namespace domsnap;
using ::testing::AllOf;
using ::testing::HasSubstr;

namespace {

std::vector<std::string> names(const std::vector<image::ImageInfo>& images) {
    std::vector<std::string> result;
    for (const auto& one : images)
        result.push_back(text::base_name(one.path));
    return result;
}

/// An overlay whose header holds this backing name, unchecked.
void forge(const std::string& path, const std::string& backing) {
    raw_qemu_img({"create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", "raw", path, "1M"});
}

} // namespace

TEST_F(Chain, is_listed_from_the_top) {
    const auto images = image::chain(top, "qcow2");
    EXPECT_THAT(names(images), ::testing::ElementsAre("top.qcow2", "mid.qcow2", "base.qcow2"));
    EXPECT_EQ(images[0].backing_path, mid);
    EXPECT_EQ(images[0].backing_format, "qcow2");
    EXPECT_EQ(images[0].virtual_size, size);
    EXPECT_GT(images[0].actual_size, 0U);
    EXPECT_EQ(images[2].backing_path, "");
}

TEST_F(Chain, info_looks_at_one_image_only) {
    os::remove_file_durably(base);
    EXPECT_EQ(image::info(top, "qcow2").backing_path, mid);
    EXPECT_EQ(image::info(mid, "qcow2").backing_path, base);
    const Error error = error_of(ErrorCode::not_found, [&] { image::chain(top, "qcow2"); });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(base), HasSubstr(mid)));
}

TEST_F(Chain, relative_backing_names_are_of_the_images_folder) {
    raw_qemu_img({"rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", "mid.qcow2", top});
    EXPECT_EQ(image::info(top, "qcow2").backing_path, mid);
    EXPECT_EQ(image::chain(top, "qcow2").size(), 3U);
}

TEST_F(Chain, a_loop_is_corrupt) {
    raw_qemu_img({"rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", top, base});
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { image::chain(top, "qcow2"); }).what(), HasSubstr("loop"));
}

TEST_F(Chain, a_backing_file_without_a_format_is_refused_with_the_cure) {
    // qemu-img itself no longer writes such a header: the extension's type is overwritten with one nobody
    // knows.
    std::string bytes = os::read_file(top, 1 << 30);
    const auto at = bytes.find(std::string("\xe2\x79\x2a\xca", 4));
    ASSERT_NE(at, std::string::npos);
    const os::Fd fd = os::open_read_write(top);
    os::write_at(fd.get(), "\x11\x22\x33\x44", 4, at, top);
    const Error error = error_of(ErrorCode::unsupported, [&] { image::chain(top, "qcow2"); });
    EXPECT_THAT(error.what(), AllOf(HasSubstr(top), HasSubstr(mid), HasSubstr("format")));
    EXPECT_THAT(error.hint(), HasSubstr("qemu-img rebase -u -f qcow2 -F FORMAT -b '" + mid + "'"));
    EXPECT_EQ(image::info(top, "qcow2").backing_format, "");
}

TEST(Info, names_of_protocols_in_a_header_are_refused) {
    const Scratch scratch;
    int number = 0;
    for (const char* hostile :
         {"json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}", "nbd:localhost:10809",
          "nbd://localhost/x", "file:/etc/passwd", "fat:/etc", "host_device:/dev/sda"}) {
        const std::string path = scratch / (std::to_string(++number) + ".qcow2");
        forge(path, hostile);
        const Error error = error_of(ErrorCode::unsupported, [&] { image::info(path, "qcow2"); });
        EXPECT_THAT(error.what(), AllOf(HasSubstr(path), HasSubstr(hostile))) << hostile;
        error_of(ErrorCode::unsupported, [&] { image::chain(path, "qcow2"); });
        error_of(ErrorCode::unsupported, [&] { image::snapshot_create(path, "t"); });
    }
}

TEST(Info, a_raw_image_is_not_probed) {
    const Scratch scratch;
    image::create(scratch / "inner.qcow2", "qcow2", 1 << 20);
    // What a guest may write into its raw disk: the header of another format.
    const auto info = image::info(scratch / "inner.qcow2", "raw");
    EXPECT_EQ(info.format, "raw");
    EXPECT_LT(info.virtual_size, 1U << 20); // the file itself, not the disk that the header describes
    EXPECT_EQ(image::probe_format(scratch / "inner.qcow2"), "qcow2");
}

TEST(Info, of_what_is_no_image) {
    const Scratch scratch;
    os::write_file(scratch / "text", "this is no image\n");
    const Error wrong = error_of(ErrorCode::corrupt, [&] { image::info(scratch / "text", "qcow2"); });
    EXPECT_THAT(wrong.what(), AllOf(HasSubstr(scratch / "text"), HasSubstr("not in qcow2 format")));
    const Error missing = error_of(ErrorCode::not_found, [&] { image::info(scratch / "no", "qcow2"); });
    EXPECT_THAT(missing.what(), HasSubstr("there is no image file '" + (scratch / "no")));
    error_of(ErrorCode::invalid_request, [&] { image::info(scratch.path(), "qcow2"); });
    error_of(ErrorCode::refused_by_qemu, [&] { image::info(scratch / "text", "no-such-format"); });
    error_of(ErrorCode::not_found, [&] { image::info("", "raw"); });
    EXPECT_EQ(image::probe_format(scratch / "text"), "raw");
}

TEST(Info, of_an_image_that_a_program_writes_to) {
    const Scratch scratch;
    const std::string disk = scratch / "disk";
    image::create(disk, "qcow2", 1 << 20);
    const auto start = [&] {
        return os::start_background({.argv = {tool("qemu-io"), "-f", "qcow2", "-c", "sleep 100000", disk},
                                     .log_path = {},
                                     .passed = {},
                                     .in_child = {},
                                     .environment = {}});
    };
    auto user = start();
    const auto is_busy = [&] {
        try {
            image::check(disk, "qcow2");
            return false;
        } catch (const Error& e) {
            EXPECT_STREQ(to_string(e.code()), "busy") << e.what();
            return true;
        }
    };
    const auto deadline = Deadline::after(std::chrono::seconds(20));
    for (bool held = false; !held && !deadline.passed();) {
        const bool busy = is_busy() && is_busy(); // the first look may lock it out while it is itself refused
        if (os::poll_exit(user))
            user = start();
        else
            held = busy;
    }
    EXPECT_EQ(image::info(disk, "qcow2").virtual_size, 1U << 20);
    image::create_overlay(scratch / "overlay", disk, "qcow2", 0);
    error_of(ErrorCode::busy, [&] { image::snapshot_create(disk, "t"); });
    error_of(ErrorCode::busy, [&] { image::commit(scratch / "overlay", "qcow2", disk, {}); });
    os::signal_process(user, SIGKILL);
    EXPECT_TRUE(os::wait_until_gone(user, Deadline::after(std::chrono::seconds(20))));
    EXPECT_TRUE(os::poll_exit(user));
}

TEST(Info, of_half_a_header) {
    const Scratch scratch;
    image::create(scratch / "f", "qcow2", 1 << 20);
    os::write_file(scratch / "f", os::read_file(scratch / "f", 1 << 30).substr(0, 60));
    EXPECT_ANY_THROW(image::info(scratch / "f", "qcow2"));
}

TEST(Info, a_name_may_hold_anything_that_a_file_name_may) {
    const Scratch scratch;
    for (const char* name : {"a,b", "a:b.qcow2", "json:{}", "nbd:x", "-f", "with blank", "Schnappschuß ☃",
                             "a'b\"c", "a%sb", "file.filename=x,y"}) {
        const std::string below = scratch / name, above = scratch / (std::string(name) + " above");
        image::create(below, "qcow2", 1 << 20);
        image::create_overlay(above, below, "qcow2", 0);
        fill(above, 7);
        const auto images = image::chain(above, "qcow2");
        ASSERT_EQ(images.size(), 2U) << name;
        EXPECT_EQ(images[0].backing_path, below);
        image::snapshot_create(above, "s");
        EXPECT_TRUE(image::check(above, "qcow2").clean);
        image::commit(above, "qcow2", below, {});
        EXPECT_TRUE(holds(below, 7)) << name;
        EXPECT_TRUE(image::same_content(above, "qcow2", below, "qcow2")) << name;
        image::rebase(above, "qcow2", "", "", false, {});
        EXPECT_EQ(image::info(above, "qcow2").backing_path, "") << name;
    }
}

TEST(Info, relative_names_work_too) {
    const Scratch scratch;
    const std::string here = os::absolute_path(".");
    ASSERT_EQ(::chdir(scratch.path().c_str()), 0);
    image::create("a:b", "qcow2", 1 << 20);
    const auto info = image::info("a:b", "qcow2");
    ASSERT_EQ(::chdir(here.c_str()), 0);
    EXPECT_EQ(info.path, scratch / "a:b");
}

TEST(Info, a_name_that_is_not_utf8_is_refused) {
    const Scratch scratch;
    const std::string path = scratch / "a\xff";
    error_of(ErrorCode::invalid_request, [&] { image::create(path, "qcow2", 1 << 20); });
    EXPECT_FALSE(os::exists(path));
}
