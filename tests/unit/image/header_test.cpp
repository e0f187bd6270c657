// What a qcow2's header names, in the real qemu-img's files and in forged ones.
#include "image/header.h"

#include "images.h"

using namespace domsnap;
using ::testing::HasSubstr;

namespace {

void poke(const std::string& path, uint64_t offset, std::string bytes) {
    const auto fd = os::open_read_write(path);
    os::write_at(fd.get(), bytes.data(), bytes.size(), offset, path);
}

} // namespace

TEST_F(Chain, a_header_says_what_the_image_rests_on) {
    const auto found = image::header(mid);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->version, 3U);
    EXPECT_EQ(found->cluster_size(), 65536U);
    EXPECT_EQ(found->virtual_size, size);
    EXPECT_EQ(found->backing, base);
    EXPECT_EQ(found->backing_format, "qcow2");
    EXPECT_EQ(found->data_file, "");
    EXPECT_EQ(image::header(base)->backing, "");
}

TEST_F(Chain, old_headers_and_data_files_are_read_too) {
    const auto old = scratch / "old", outside = scratch / "outside";
    raw_qemu_img({"create", "-q", "-f", "qcow2", "-o", "compat=0.10", "-b", base, "-F", "qcow2", old});
    EXPECT_EQ(image::header(old)->version, 2U);
    EXPECT_EQ(image::header(old)->backing, base);
    EXPECT_EQ(image::header(old)->backing_format, "qcow2");
    raw_qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + (scratch / "data"), outside, "1M"});
    EXPECT_EQ(image::header(outside)->data_file, scratch / "data");
    EXPECT_TRUE(image::header(outside)->incompatible & image::external_data_file);
}

TEST_F(Chain, other_files_have_no_header) {
    os::write_file(scratch / "raw", std::string(1000, 'x'));
    os::write_file(scratch / "empty", "");
    EXPECT_FALSE(image::header(scratch / "raw"));
    EXPECT_FALSE(image::header(scratch / "empty"));
    error_of(ErrorCode::not_found, [&] { image::header(scratch / "no"); });
    error_of(ErrorCode::corrupt, [&] { image::header("/dev/null"); });
}

TEST_F(Chain, a_hostile_header_is_refused) {
    const auto refused = [&](uint64_t offset, std::string bytes, const char* words) {
        const auto forged = scratch / "forged";
        os::remove_file_durably(forged);
        os::copy_file_sparsely(mid, forged);
        poke(forged, offset, std::move(bytes));
        const Error error = error_of(ErrorCode::corrupt, [&] { image::header(forged); });
        EXPECT_THAT(error.what(), HasSubstr(words));
    };
    refused(8, std::string(8, '\xff'), "lies outside of its header");     // the name's offset
    refused(16, std::string("\0\0\xff\xff", 4), "outside of its header"); // its length
    refused(16, std::string("\0\0\x04\0", 4), "1024 bytes");
    refused(20, std::string("\0\0\0\x40", 4), "clusters of 2^64 bytes");
    refused(100, std::string("\x7f\0\0\0", 4), "a header of");
    refused(116, std::string("\x7f\0\0\0", 4), "longer than the header"); // the first extension's length
}
