#include "memory/capture.h"

#include "images.h"
#include "memory/ram_origin.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;

/// A guest of many MiB, every page of it data.
std::string large_stream(uint64_t pages) {
    StreamBuilder s;
    s.header().start({{"pc.ram", pages * page_size}}).section(wire::section_part);
    for (uint64_t i = 0; i < pages; ++i)
        s.data(i, page_of(static_cast<unsigned>(i + 1)), i == 0 ? "pc.ram" : "");
    return s.close().device("cpu", "running").finish();
}

std::string word_of_open(const std::string& path) {
    return error_of(ErrorCode::corrupt, [&] { ImageReader::open(path); }).what();
}

TEST(Capture, OfManyMiBIsWhole) {
    const Scratch scratch;
    const ImageReader image = image_of(large_stream(3000), scratch / "image");
    EXPECT_EQ(image.data_pages(), 3000u);
    std::string page(page_size, '\0');
    image.read_pages(0, 2999, 1, page.data());
    EXPECT_EQ(page, page_of(3000));
    EXPECT_NO_THROW(verify_pages(image));
}

TEST(Capture, ReadsADamagedStreamToItsEnd) {
    const Scratch scratch;
    std::string stream = large_stream(3000);
    const size_t first_page = stream.find("pc.ram", stream.find("pc.ram") + 6) + 6;
    stream[first_page + page_size] ^= 1; // the second record's offset
    const CaptureResult result = capture(stream, scratch / "image");
    EXPECT_FALSE(result.complete);
    EXPECT_EQ(result.code, ErrorCode::corrupt);
    EXPECT_THAT(result.error, HasSubstr("migration stream is damaged at byte"));
    EXPECT_EQ(result.stream_bytes, stream.size());
    EXPECT_THAT(word_of_open(scratch / "image"), HasSubstr("torn"));
}

TEST(Capture, OfAStreamThatEndsEarlyFails) {
    const Scratch scratch;
    const std::string stream = large_stream(600);
    const CaptureResult result = capture(stream.substr(0, stream.size() / 2), scratch / "image");
    EXPECT_FALSE(result.complete);
    EXPECT_THAT(result.error, HasSubstr("it ends in the midst of RAM"));
    EXPECT_EQ(os::file_info(scratch / "image")->size, 0u) << "half an image takes no room";
}

TEST(Capture, ReportsProgressUpToAllOfRam) {
    const Scratch scratch;
    const Feeder feeder(large_stream(2000));
    Progress last;
    Control control;
    control.progress = [&](const Progress& p) {
        EXPECT_GE(p.done, last.done);
        last = p;
    };
    capture_stream(feeder.fd(), os::create_exclusive(scratch / "image"), scratch / "image", some_identity,
                   control);
    EXPECT_EQ(last.what, "memory");
    EXPECT_EQ(last.done, 2000 * page_size);
    EXPECT_EQ(last.total, 2000 * page_size);
}

/// A file system of one MiB below the scratch folder, where the test may mount.
class SmallDisk {
  public:
    explicit SmallDisk(const std::string& path) : path_(path) {
        os::make_folders(path);
        mounted = ::mount("domsnap-test", path.c_str(), "tmpfs", 0, "size=1m,mode=0700") == 0;
    }
    ~SmallDisk() {
        if (mounted) ::umount(path_.c_str());
    }
    bool mounted;

  private:
    std::string path_;
};

TEST(Capture, OnAFullDiskDrainsTheStreamAndSaysWhatIsFreeAndNeeded) {
    const Scratch scratch;
    const SmallDisk disk(scratch / "disk");
    if (!disk.mounted) GTEST_SKIP() << "may not mount a tmpfs";
    const std::string stream = large_stream(2560), path = scratch / "disk/image";
    const CaptureResult result = capture(stream, path);
    EXPECT_FALSE(result.complete);
    EXPECT_EQ(result.code, ErrorCode::io);
    EXPECT_EQ(result.stream_bytes, stream.size());
    EXPECT_THAT(result.error, HasSubstr(path));
    EXPECT_THAT(result.error, HasSubstr("No space left on device"));
    EXPECT_THAT(result.error, testing::ContainsRegex("are free, up to (9|10)[0-9.]* MiB more are needed"));
    EXPECT_THAT(result.hint, HasSubstr("free some space"));
    EXPECT_EQ(os::file_info(path)->allocated, 0u) << "the room is given back";
    EXPECT_THAT(word_of_open(path), HasSubstr("torn"));
}

TEST(Capture, BeyondAFileSizeLimitDrainsTheStream) {
    const Scratch scratch;
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1 << 20, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string stream = large_stream(2560);
    const CaptureResult result = capture(stream, scratch / "image");
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_FALSE(result.complete);
    EXPECT_THAT(result.error, HasSubstr("File too large"));
    EXPECT_EQ(result.stream_bytes, stream.size());
}

TEST(WriteStream, TellsWhenTheReaderIsGone) {
    const Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    auto [in, out] = os::make_pipe();
    in.reset();
    const Error e = error_of(ErrorCode::io, [&, fd = out.get()] { write_stream(image, fd, {}); });
    EXPECT_THAT(e.what(), HasSubstr("incoming migration"));
}

TEST(WriteStream, LeavesOutTheMainBlockThatIsMapped) {
    const Scratch scratch;
    const ImageReader image = image_of(large_stream(3), scratch / "image");
    const auto stream = [&](bool mapped) {
        auto [in, out] = os::make_pipe();
        write_stream(image, out.get(), {}, std::nullopt, mapped);
        out.reset();
        std::string bytes;
        for (std::string more; !(more = os::read_some(in.get(), 1 << 20)).empty();)
            bytes += more;
        return bytes;
    };
    const auto whole = stream(false), rest = stream(true);
    EXPECT_THAT(whole, HasSubstr(page_of(2)));
    EXPECT_THAT(rest, testing::Not(HasSubstr(page_of(2))));
    EXPECT_THAT(rest, HasSubstr("pc.ram")) << "the block itself is announced";
    EXPECT_LT(whole.size() - rest.size(), 3 * (page_size + 20));
}

TEST(RamOrigin, ComesBackAsItWasWritten) {
    const Scratch scratch;
    const RamOrigin origin{"/vm/a\"b.mem", "00c5a1f3d2e4b697", true};
    EXPECT_EQ(read_ram_origin(scratch / "none"), std::nullopt);
    write_ram_origin(scratch / "ram.json", origin);
    EXPECT_EQ(read_ram_origin(scratch / "ram.json"), origin);
    RamOrigin copied = origin;
    copied.copy = {"17c5a1f3d2e4b697", 1, 4711};
    write_ram_origin(scratch / "ram.json", copied);
    EXPECT_EQ(read_ram_origin(scratch / "ram.json"), copied);
    os::write_file(scratch / "ram.json", R"({"version":2})");
    error_of(ErrorCode::unsupported, [&] { read_ram_origin(scratch / "ram.json"); });
    os::write_file(scratch / "ram.json", R"({"version":1,"image":7})");
    error_of(ErrorCode::corrupt, [&] { read_ram_origin(scratch / "ram.json"); });
}

TEST(WriteStream, StopsWhenAskedWhileTheReaderStalls) {
    const Scratch scratch;
    const ImageReader image = image_of(large_stream(2000), scratch / "image");
    const auto ends = os::make_pipe();
    CancelFlag cancel = false;
    Control control;
    control.cancel = &cancel;
    std::thread user([&] {
        os::wait_readable(ends.first.get(), Deadline::never());
        cancel = true; // while the pipe is full: nobody reads it
    });
    error_of(ErrorCode::cancelled, [&] { write_stream(image, ends.second.get(), control); });
    user.join();
}

} // namespace
} // namespace domsnap::memory
