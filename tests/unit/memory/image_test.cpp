#include "memory/image.h"

#include "images.h"
#include "memory/image_format.h"
#include "os/bulk.h"

#include <gmock/gmock.h>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;

/// One block: the whole file is a few KiB, so every byte of it can be tried.
std::string tiny_stream() {
    StreamBuilder s;
    s.header()
        .start({{"pc.ram", 2 * page_size}})
        .section(wire::section_part)
        .data(0, page_of(9), "pc.ram")
        .close();
    return s.device("cpu", "halted").finish();
}

constexpr uint64_t tiny_ram = 2 * page_size;

void change(const std::string& path, uint64_t at, const std::string& bytes) {
    os::write_at(os::open_read_write(path).get(), bytes.data(), bytes.size(), at, path);
}

std::string pages_of(const ImageReader& image, size_t block, uint64_t first, uint64_t count) {
    std::string bytes(count * page_size, '?');
    image.read_pages(block, first, count, bytes.data());
    return bytes;
}

TEST(Image, HoldsWhatTheStreamSaid) {
    const Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    ASSERT_EQ(image.blocks().size(), 3u);
    EXPECT_EQ(image.blocks()[1].name, "pc.ram");
    EXPECT_EQ(image.blocks()[1].offset, 0u);
    EXPECT_EQ(image.blocks()[0].offset, 2u << 20);
    EXPECT_EQ(image.blocks()[2].offset, 4u << 20);
    EXPECT_EQ(image.state(1, 0), PageState::data);
    EXPECT_EQ(image.state(1, 2), PageState::zero);
    EXPECT_EQ(image.state(1, 3), PageState::absent);
    EXPECT_EQ(image.state(1, 4), PageState::zero) << "it was data first, the last record counts";
    EXPECT_EQ(image.data_pages(), 5u);
    EXPECT_EQ(pages_of(image, 1, 0, 2), page_of(1) + page_of(5));
    EXPECT_EQ(pages_of(image, 0, 1, 1), page_of(4));
    EXPECT_EQ(image.ram_section_id(), 2u);
    EXPECT_THAT(image.device_state(), HasSubstr("state of the cpu"));
    EXPECT_EQ(image.identity().domain_uuid, some_identity.domain_uuid);
    EXPECT_EQ(image.identity().ram_size, 8 * page_size);
    EXPECT_EQ(image.identity().created, some_identity.created);
    EXPECT_NO_THROW(verify_pages(image));
    EXPECT_NO_THROW(verify_zeros(image, {}));
}

/// No checksum covers it, and a guest that maps the file would get it.
TEST(Image, AByteInAPageOfZerosIsFound) {
    const Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    for (const uint64_t page : {2, 3, 4}) {
        const uint64_t at = image.blocks()[1].offset + page * page_size + 4000;
        flip(scratch / "image", at);
        EXPECT_NO_THROW(verify_pages(image));
        EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { verify_zeros(image, {}); }).what(),
                    HasSubstr("page " + std::to_string(page) + " of 'pc.ram'"));
        flip(scratch / "image", at);
    }
    error_of(ErrorCode::cancelled, [&] { verify_zeros(image, [] { return true; }); });
}

TEST(Image, LaysMainRamAtTheFilesBeginningPageForPage) {
    const Scratch scratch;
    image_of(small_stream(), scratch / "image");
    const std::string zero(page_size, '\0');
    EXPECT_EQ(content_of(scratch / "image").substr(0, 8 * page_size),
              page_of(1) + page_of(5) + zero + zero + zero + zero + zero + page_of(6));
    const auto info = os::file_info(scratch / "image");
    EXPECT_EQ(info->mode, 0600u);
    EXPECT_LT(info->allocated, 100u << 10) << "zero pages are holes, in a file of 4 MiB";
}

TEST(Image, CountsWhatCame) {
    const Scratch scratch;
    const std::string stream = small_stream();
    const CaptureResult result = capture(stream, scratch / "image");
    EXPECT_EQ(result.stream_bytes, stream.size());
    EXPECT_EQ(result.data_pages, 5u);
    EXPECT_EQ(result.zero_pages, 3u);
    EXPECT_EQ(result.repeated_pages, 2u);
}

TEST(Image, GoesToAStreamAndBackUnchanged) {
    const Scratch scratch;
    const ImageReader first = image_of(small_stream(), scratch / "first");
    const std::string stream = stream_of(first);
    const ImageReader second = image_of(stream, scratch / "second");
    EXPECT_EQ(content_of(scratch / "first"), content_of(scratch / "second"));
    EXPECT_EQ(stream_of(second), stream);
}

TEST(Image, TakesTheFirstBlockForMainWhereNoneIsNamedSo) {
    const Scratch scratch;
    const ImageReader image = image_of(
        StreamBuilder().header().start({{"ram", page_size}, {"b", page_size}}).finish(), scratch / "image");
    EXPECT_EQ(image.blocks()[0].offset, 0u);
    EXPECT_EQ(image.blocks()[1].offset, 2u << 20);
}

TEST(Image, TornAtEveryByteIsRefusedWithTheRightWord) {
    const Scratch scratch;
    const std::string path = scratch / "image";
    image_of(tiny_stream(), path);
    const os::Fd file = os::open_read_write(path);
    const uint64_t whole = os::file_info(path)->size;
    ASSERT_LT(whole, 12'000u);
    for (uint64_t size = whole; size-- > 0;) {
        os::resize_file(file, size, path);
        const char* const word = size == 0 || size >= whole - trailer_size
                                     ? "is torn: the capture did not finish"
                                 : size >= tiny_ram + mark_size ? "is truncated"
                                                                : "is not a memory image";
        EXPECT_THAT(refusal(path), HasSubstr(word)) << size;
    }
}

TEST(Image, AChangedBitInEveryByteOfTheMetadataIsRefused) {
    const Scratch scratch;
    const std::string path = scratch / "image";
    image_of(tiny_stream(), path);
    const uint64_t whole = os::file_info(path)->size;
    for (uint64_t at = tiny_ram; at < whole; ++at) {
        flip(path, at);
        EXPECT_THAT(refusal(path), HasSubstr("was altered")) << at;
        flip(path, at);
    }
    EXPECT_NO_THROW(ImageReader::open(path));
}

TEST(Image, AChangedBitInAPageIsFoundWhenItIsRead) {
    const Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    flip(scratch / "image", page_size + 4000);
    char page[page_size];
    EXPECT_NO_THROW(image.read_pages(1, 0, 1, page));
    const Error e =
        error_of(ErrorCode::corrupt, [&] { image.read_pages(1, 0, 2, std::string(8192, 0).data()); });
    EXPECT_THAT(e.what(), HasSubstr(scratch / "image"));
    EXPECT_THAT(e.what(), HasSubstr("page 1 of 'pc.ram'"));
    error_of(ErrorCode::corrupt, [&] { verify_pages(image); });
    error_of(ErrorCode::corrupt, [&] { stream_of(image); });
}

TEST(Image, AddedBytesAreAnAlteration) {
    const Scratch scratch;
    image_of(tiny_stream(), scratch / "image");
    change(scratch / "image", os::file_info(scratch / "image")->size, "x");
    EXPECT_THAT(refusal(scratch / "image"), HasSubstr("1 bytes were added"));
}

TEST(Image, AMarkInsideAGuestsRamIsNoMark) {
    const Scratch scratch;
    os::write_file(scratch / "file", page_of(1) + encode(Mark{12345 * page_size, 0}) + page_of(2));
    EXPECT_THAT(refusal(scratch / "file"), HasSubstr("is not a memory image"));
    os::write_file(scratch / "file", page_of(1) + encode(Mark{page_size, 0}) + page_of(2));
    EXPECT_THAT(refusal(scratch / "file"), HasSubstr("is torn"));
}

TEST(Image, OtherFilesAreNoImages) {
    const Scratch scratch;
    error_of(ErrorCode::not_found, [&] { ImageReader::open(scratch / "missing"); });
    EXPECT_THAT(refusal(scratch.path()), HasSubstr("not a regular file"));
    os::write_file(scratch / "text", "hello");
    EXPECT_THAT(refusal(scratch / "text"), HasSubstr("is not a memory image"));
    os::write_file(scratch / "empty", "");
    EXPECT_THAT(refusal(scratch / "empty"), HasSubstr("the file is empty"));
}

/// The tiny image with one more section, and trailer and mark that agree with it.
void add_section(const std::string& path, const Section& like, const std::string& content) {
    std::string file = content_of(path);
    Trailer trailer;
    ASSERT_EQ(decode(std::string_view(file).substr(file.size() - trailer_size), trailer), Finding::good);
    auto table = decode_table(std::string_view(file).substr(trailer.table_offset, trailer.table_size));
    Section added = like;
    added.offset = trailer.table_offset;
    added.size = content.size();
    if (added.checksum == 0) added.checksum = checksum(content.data(), content.size());
    table.push_back(added);
    const std::string bytes = encode(table);
    file.resize(trailer.table_offset);
    file += content + bytes;
    trailer = {.sections = static_cast<uint32_t>(table.size()),
               .mark_offset = trailer.mark_offset,
               .table_offset = trailer.table_offset + content.size(),
               .table_size = bytes.size(),
               .table_checksum = checksum(bytes.data(), bytes.size()),
               .file_size = file.size() + trailer_size};
    file.replace(trailer.mark_offset, mark_size, encode(Mark{trailer.mark_offset, trailer.file_size}));
    os::write_file(path, file + encode(trailer));
}

TEST(Image, AnUnknownOptionalSectionIsPassedOverAndVerified) {
    const Scratch scratch;
    image_of(tiny_stream(), scratch / "image");
    add_section(scratch / "image", {.type = 9, .mandatory = false}, "hot pages of the future");
    EXPECT_EQ(ImageReader::open(scratch / "image").data_pages(), 1u);
    add_section(scratch / "image", {.type = 77, .mandatory = false, .checksum = 1}, "damaged");
    EXPECT_THAT(refusal(scratch / "image"), HasSubstr("checksum of its section 77"));
}

TEST(Image, AnUnknownMandatorySectionIsOfANewerVersion) {
    const Scratch scratch;
    image_of(tiny_stream(), scratch / "image");
    add_section(scratch / "image", {.type = 11, .mandatory = true}, "of the future");
    EXPECT_THAT(refusal(scratch / "image", ErrorCode::unsupported), HasSubstr("written by a newer domsnap"));
}

TEST(Image, ASectionThatIsThereTwiceIsRefused) {
    const Scratch scratch;
    image_of(tiny_stream(), scratch / "image");
    add_section(scratch / "image", {.type = 2, .mandatory = true}, "other devices");
    EXPECT_THAT(refusal(scratch / "image"), HasSubstr("twice"));
}

TEST(Image, ANewerTrailerIsRefusedByItsVersion) {
    const Scratch scratch;
    image_of(tiny_stream(), scratch / "image");
    const uint64_t at = os::file_info(scratch / "image")->size - trailer_size;
    std::string trailer = content_of(scratch / "image").substr(at, trailer_size - 8);
    trailer[8] = 2;
    put_little(trailer, checksum(trailer.data(), trailer.size()));
    change(scratch / "image", at, trailer);
    EXPECT_THAT(refusal(scratch / "image", ErrorCode::unsupported), HasSubstr("written by a newer domsnap"));
}

TEST(Image, AVerificationTellsAndStops) {
    const Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    uint64_t last = 0;
    VerifyHooks hooks;
    hooks.progress = [&](uint64_t done, uint64_t total) {
        EXPECT_GT(done, last);
        EXPECT_EQ(total, 5 * page_size);
        last = done;
    };
    verify_pages(image, &hooks);
    EXPECT_EQ(last, 5 * page_size);
    hooks = {};
    hooks.should_stop = [] { return true; };
    error_of(ErrorCode::cancelled, [&] { verify_pages(image, &hooks); });
}

} // namespace
} // namespace domsnap::memory
