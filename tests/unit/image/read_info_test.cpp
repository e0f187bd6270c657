// What is read of images here, beside what qemu-img says of them.
#include "image/read_info.h"
#include "images.h"
#include "os/bulk.h"
#include "tiny_qcow2.h"

#include <fmt/format.h>

using namespace domsnap;
using ::testing::HasSubstr;

namespace {

void expect_equal(const image::ImageInfo& ours, const image::ImageInfo& theirs) {
    EXPECT_EQ(ours.path, theirs.path);
    EXPECT_EQ(ours.format, theirs.format);
    EXPECT_EQ(ours.virtual_size, theirs.virtual_size);
    EXPECT_EQ(ours.actual_size, theirs.actual_size);
    EXPECT_EQ(ours.backing_path, theirs.backing_path);
    EXPECT_EQ(ours.backing_format, theirs.backing_format);
    EXPECT_EQ(ours.data_file, theirs.data_file);
    EXPECT_EQ(ours.encrypted, theirs.encrypted);
    EXPECT_EQ(ours.corrupt, theirs.corrupt);
    EXPECT_EQ(ours.dirty, theirs.dirty);
    EXPECT_EQ(ours.snapshots, theirs.snapshots);
}

class ReadInfo : public ::testing::Test {
  protected:
    std::string make(const std::string& options, const std::string& size = "5M") {
        raw_qemu_img({"create", "-q", "-f", "qcow2", "-o", options, path, size});
        return path;
    }
    /// Flips bits of the image's byte at that offset.
    void flip(size_t at, char bits) const {
        char byte = 0;
        const os::Fd fd = os::open_read_write(path);
        os::read_at(fd.get(), &byte, 1, at, path);
        byte = static_cast<char>(byte ^ bits);
        os::write_at(fd.get(), &byte, 1, at, path);
    }
    void expect_read_as_by_qemu_img(const std::string& format = "qcow2") const {
        const auto ours = image::read_info(path, format);
        ASSERT_TRUE(ours);
        expect_equal(*ours, image::ask_qemu_img(path, format));
    }

    Scratch scratch;
    std::string path = scratch / "disk";
};

TEST_F(ReadInfo, of_qcow2_in_all_its_forms) {
    for (const char* options :
         {"compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=2M", "lazy_refcounts=on",
          "extended_l2=on,cluster_size=16k", "refcount_bits=1", "refcount_bits=64", "preallocation=metadata",
          "preallocation=full", "compression_type=zstd"}) {
        SCOPED_TRACE(options);
        make(options);
        expect_read_as_by_qemu_img();
    }
    make("compat=1.1", "123456789");
    expect_read_as_by_qemu_img();
    make("compat=1.1", "0");
    expect_read_as_by_qemu_img();
}

TEST_F(ReadInfo, of_raw_files_of_any_size) {
    for (const size_t size : {0U, 1U, 511U, 512U, 1000U, 70000U}) {
        os::write_file(path, std::string(size, 'x'));
        expect_read_as_by_qemu_img("raw");
    }
    os::resize_file(os::open_read_write(path), uint64_t{1} << 40, path);
    expect_read_as_by_qemu_img("raw");
}

TEST_F(ReadInfo, with_a_backing_file) {
    image::create(scratch / "base", "qcow2", 1 << 20);
    for (const std::string& name : {scratch / "base", std::string("base"), std::string("./base"),
                                    std::string("../") + text::base_name(scratch.path()) + "/base"})
        for (const char* compat : {"0.10", "1.1"}) {
            SCOPED_TRACE(name);
            make(fmt::format("backing_file={},backing_fmt=qcow2,compat={}", name, compat), "1M");
            expect_read_as_by_qemu_img();
            EXPECT_TRUE(os::exists(image::info(path, "qcow2").backing_path));
        }
    make("backing_file=base,backing_fmt=raw", "1M");
    expect_read_as_by_qemu_img();
}

TEST_F(ReadInfo, with_internal_snapshots) {
    for (const char* compat : {"0.10", "1.1"}) {
        make(fmt::format("compat={}", compat));
        for (const std::string tag : {"s", "with blank", "Schnappschuß ☃", "-x", "1", "%s"})
            image::snapshot_create(path, tag);
        image::snapshot_create(path, std::string(200, 'n'));
        expect_read_as_by_qemu_img();
        EXPECT_EQ(image::info(path, "qcow2").snapshots.size(), 7U);
    }
}

TEST_F(ReadInfo, marked_dirty_or_corrupt) {
    make("compat=1.1");
    flip(79, 1);
    EXPECT_TRUE(image::info(path, "qcow2").dirty);
    expect_read_as_by_qemu_img();
    flip(79, 3);
    EXPECT_TRUE(image::info(path, "qcow2").corrupt);
    expect_read_as_by_qemu_img();
}

// Whatever the header says: what is taken for sound here, qemu-img takes for the same.
TEST_F(ReadInfo, changed_at_any_byte) {
    image::create(scratch / "base", "qcow2", 1 << 20);
    make("backing_file=base,backing_fmt=qcow2", "1M");
    image::snapshot_create(path, "s");
    unsigned accepted = 0;
    for (size_t at = 4; at < 140; ++at)
        for (const char bits : {'\x02', '\x50'}) {
            SCOPED_TRACE(fmt::format("byte {} ^ {:#x}", at, bits));
            flip(at, bits);
            try {
                const auto ours = image::read_info(path, "qcow2");
                if (ours) expect_equal(*ours, image::ask_qemu_img(path, "qcow2"));
                if (ours) ++accepted;
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr(path));
            }
            flip(at, bits);
        }
    EXPECT_GE(accepted, 50U);
    expect_read_as_by_qemu_img();
}

TEST_F(ReadInfo, of_other_kinds_is_left_to_qemu_img) {
    make("data_file=" + (scratch / "data"));
    EXPECT_FALSE(image::read_info(path, "qcow2"));
    EXPECT_EQ(image::info(path, "qcow2").data_file, scratch / "data");
    make("compat=1.1");
    flip(35, 2); // encrypted with LUKS
    EXPECT_FALSE(image::read_info(path, "qcow2"));
    os::remove_file_durably(path);
    raw_qemu_img({"create", "-q", "-f", "vmdk", path, "1M"});
    EXPECT_FALSE(image::read_info(path, "vmdk"));
    EXPECT_EQ(image::info(path, "vmdk").virtual_size, 1U << 20);
    error_of(ErrorCode::corrupt, [&] { image::read_info(path, "qcow2"); });
}

TEST_F(ReadInfo, that_is_newer_is_refused_in_qemu_imgs_words) {
    make("compat=1.1");
    flip(74, 1);
    error_of(ErrorCode::unsupported, [&] { image::read_info(path, "qcow2"); });
    const Error error = error_of(ErrorCode::refused_by_qemu, [&] { image::info(path, "qcow2"); });
    EXPECT_THAT(error.what(), HasSubstr("nsupported"));
}

TEST_F(ReadInfo, that_lies_is_refused) {
    TinyQcow2 sound;
    sound.put(36, uint32_t{1});
    sound.put(40, sound.at(TinyQcow2::l1));
    sound.put(48, sound.at(TinyQcow2::first));
    sound.put(56, uint32_t{1});
    ASSERT_EQ(image::read_info(sound.save(path), "qcow2")->snapshots.size(), 1U);
    const auto refused = [&](size_t at, auto value) {
        TinyQcow2 bad = sound;
        bad.put(at, value);
        bad.save(path);
        return error_of(ErrorCode::corrupt, [&] { image::read_info(path, "qcow2"); });
    };
    refused(24, uint64_t{1} << 40); // a disk that the L1 table cannot map
    refused(36, uint32_t{1} << 23); // an L1 table of 64 MiB
    refused(40, uint64_t{513});     // in the midst of a cluster
    refused(48, uint64_t{1} << 60); // outside every file
    refused(56, uint32_t{0});       // no reference counts
    refused(56, uint32_t{1} << 20); // more than QEMU reads
    refused(60, uint32_t{70'000});  // snapshots
    refused(96, uint32_t{7});       // 128 bits of reference count
    refused(100, uint32_t{513});    // a header longer than its cluster
    refused(8, uint64_t{513});      // a name behind the cluster
    sound.put(8, uint64_t{200});
    refused(16, uint32_t{1024}); // a name longer than QEMU reads
    refused(16, uint32_t{400});  // a name that ends behind the cluster
    sound.put(16, uint32_t{4});
    sound.bytes.replace(200, 4, "base");
    sound.put(104, uint32_t{0xe2792aca});
    refused(108, uint32_t{16});  // a format's name longer than QEMU reads
    refused(108, uint32_t{100}); // an extension that passes the name
}

} // namespace
