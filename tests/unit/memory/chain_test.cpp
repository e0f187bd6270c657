// Incremental images: what is stored, how a chain is read as one, and every way in which it is refused.
#include "images.h"
#include "memory/fold.h"
#include "memory/image_format.h"
#include "memory/incremental_format.h"
#include "os/bulk.h"

#include <filesystem>
#include <gmock/gmock.h>

namespace domsnap::memory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t pages = 64;

/// A machine of 64 pages of RAM: page n is of seed seeds[n], zero for 0.
std::string stream_with(const std::vector<unsigned>& seeds, const std::string& block = "pc.ram") {
    StreamBuilder s;
    s.header().start({{block, seeds.size() * page_size}, {"vga.vram", page_size}});
    s.section(wire::section_part).data(0, page_of(77), "vga.vram");
    for (uint64_t page = 0; page < seeds.size(); ++page)
        if (seeds[page])
            s.data(page, page_of(seeds[page]), block);
        else
            s.zero(page, block);
    s.close();
    return s.device("cpu", "state").finish();
}

std::vector<unsigned> first_seeds() {
    std::vector<unsigned> seeds(pages);
    for (unsigned page = 8; page < pages; ++page)
        seeds[page] = 100 + page;
    return seeds;
}

std::string ram_of(const std::vector<unsigned>& seeds) {
    std::string ram;
    for (const unsigned seed : seeds)
        ram += seed ? page_of(seed) : std::string(page_size, '\0');
    return ram;
}

/// As a guest would see it.
std::string ram_of(const ImageReader& image, size_t block = 0) {
    std::string ram(image.blocks()[block].length, '\0');
    for (uint64_t page = 0; page < ram.size() / page_size; ++page)
        if (image.state(block, page) == PageState::data)
            image.read_pages(block, page, 1, ram.data() + page * page_size);
    return ram;
}

uint64_t allocated(const std::string& path) { return os::file_info(path)->allocated; }

class Chain : public testing::Test {
  protected:
    std::string file(unsigned n) const { return scratch / std::to_string(n); }
    /// Image n with one page that is its own; it rests on n - 1.
    void add(unsigned n) {
        if (n > 0) seeds[8 + n % 50] = 1000 + n;
        const CaptureResult result =
            capture(stream_with(seeds), file(n), n > 0 ? file(n - 1) : std::string());
        ASSERT_TRUE(result.complete) << result.error;
        ASSERT_EQ(result.whole_because, "");
        history.push_back(seeds);
    }

    const Scratch scratch;
    std::vector<unsigned> seeds = first_seeds();
    std::vector<std::vector<unsigned>> history;
};

TEST_F(Chain, OfTenIsReadAsOne) {
    for (unsigned n = 0; n <= 10; ++n)
        add(n);
    for (unsigned n = 0; n <= 10; ++n) {
        const ImageReader image = ImageReader::open(file(n));
        EXPECT_EQ(image.layers().size(), n + 1);
        EXPECT_EQ(ram_of(image), ram_of(history[n])) << n;
        EXPECT_EQ(ram_of(image, 1), page_of(77));
        EXPECT_EQ(image.data_pages(), pages - 8 + 1);
        EXPECT_NO_THROW(verify_pages(image));
    }
}

TEST_F(Chain, GivesTheStreamOfAWholeImage) {
    for (unsigned n = 0; n <= 3; ++n)
        add(n);
    const ImageReader whole = image_of(stream_with(seeds), scratch / "whole");
    EXPECT_EQ(stream_of(ImageReader::open(file(3))), stream_of(whole));
}

TEST_F(Chain, StoresOnlyWhatDiffers) {
    add(0);
    seeds[10] = 7;
    seeds[11] = 0;
    seeds[0] = 8;
    const CaptureResult result = capture(stream_with(seeds), file(1), file(0));
    EXPECT_EQ(result.data_pages, 2u);
    EXPECT_EQ(result.parent_pages, pages - 8 - 2 + 1);
    EXPECT_LE(allocated(file(1)), 2 * page_size + 8192);
    const ImageReader image = ImageReader::open(file(1));
    EXPECT_EQ(ram_of(image), ram_of(seeds));
    EXPECT_EQ(image.layer(0, 10), 0u);
    EXPECT_EQ(image.layer(0, 12), 1u);
    EXPECT_EQ(image.layers()[1].path, file(0));
    EXPECT_EQ(image.layers()[1].hash, ImageReader::open(file(0)).hash());
    EXPECT_EQ(image_link(file(1)).parent->hash, image.layers()[1].hash);
    EXPECT_FALSE(image_link(file(0)).parent);
}

TEST_F(Chain, APageThatBecomesTheParentsAgainTakesNoRoom) {
    add(0);
    StreamBuilder s;
    s.header().start({{"pc.ram", pages * page_size}, {"vga.vram", page_size}});
    s.section(wire::section_part).data(9, page_of(1), "pc.ram").data(9, page_of(109)).close();
    const ImageReader image = image_of(s.device("cpu", "x").finish(), file(1), file(0));
    EXPECT_EQ(image.layer(0, 9), 1u);
    EXPECT_EQ(content_of(file(1)).substr(9 * page_size, page_size), std::string(page_size, '\0'));
    EXPECT_EQ(image.state(0, 10), PageState::absent) << "never sent is never sent, whatever the parent has";
}

TEST_F(Chain, ADamagedPageOfTheParentIsNotRestedOn) {
    add(0);
    flip(file(0), 20 * page_size + 5);
    const CaptureResult result = capture(stream_with(seeds), file(1), file(0));
    EXPECT_TRUE(result.complete);
    EXPECT_EQ(result.data_pages, 1u);
    const ImageReader image = ImageReader::open(file(1));
    EXPECT_EQ(image.layer(0, 20), 0u);
    EXPECT_EQ(image.layer(0, 19), 1u);
    EXPECT_EQ(image.layer(0, 21), 1u);
    EXPECT_EQ(ram_of(image), ram_of(seeds));
    error_of(ErrorCode::corrupt, [&] { verify_pages(ImageReader::open(file(0))); });
}

TEST_F(Chain, DamageInTheParentNamesTheParent) {
    add(0);
    add(1);
    flip(file(0), 20 * page_size + 5);
    const Error e = error_of(ErrorCode::corrupt, [&] { verify_pages(ImageReader::open(file(1))); });
    EXPECT_THAT(e.what(), HasSubstr("'" + file(0) + "' was altered: the checksum of page 20 of 'pc.ram'"));
}

TEST_F(Chain, AParentThatCannotBeUsedMakesTheImageWhole) {
    add(0);
    const auto expect_whole = [&](const std::string& stream, const std::string& parent, const char* words) {
        const std::string path = scratch / "whole";
        const CaptureResult result = capture(stream, path, parent);
        EXPECT_TRUE(result.complete) << result.error;
        EXPECT_THAT(result.whole_because, HasSubstr(words));
        EXPECT_EQ(ImageReader::open(path).layers().size(), 1u);
        std::filesystem::remove(path);
    };
    expect_whole(stream_with(seeds), scratch / "missing", "there is no memory image");
    expect_whole(stream_with(seeds, "ram"), file(0), "blocks of RAM are others");
    seeds.push_back(5);
    expect_whole(stream_with(seeds), file(0), "blocks of RAM are others");
    flip(file(0), os::file_info(file(0))->size - 1);
    expect_whole(stream_with(seeds), file(0), "was altered");
}

TEST_F(Chain, OneThatSharesNothingRestsOnNothing) {
    add(0);
    StreamBuilder s;
    s.header().start({{"pc.ram", pages * page_size}, {"vga.vram", page_size}});
    image_of(s.device("cpu", "x").finish(), file(1), file(0));
    EXPECT_FALSE(image_link(file(1)).parent);
}

TEST_F(Chain, RefusesAParentThatIsNotTheOne) {
    add(0);
    add(1);
    add(2);
    std::filesystem::rename(file(0), scratch / "elsewhere");
    EXPECT_THAT(refusal(file(2), ErrorCode::not_found),
                HasSubstr("'" + file(1) + "' rests on '" + file(0) + "', which is not there"));
    capture(stream_with(seeds), file(0));
    EXPECT_THAT(refusal(file(2)), HasSubstr("and that is another image now"));
    os::write_file(file(0), "no image");
    EXPECT_THAT(refusal(file(2)), HasSubstr("is not a memory image"));
    std::filesystem::rename(scratch / "elsewhere", file(0));
    EXPECT_NO_THROW(ImageReader::open(file(2)));
    os::resize_file(os::open_read_write(file(1)), os::file_info(file(1))->size - 100, file(1));
    EXPECT_THAT(refusal(file(2)), HasSubstr("'" + file(2) + "' rests on '" + file(1) + "': "));
    EXPECT_THAT(refusal(file(2)), HasSubstr("is truncated"));
}

TEST_F(Chain, IsFoundInAnotherFolder) {
    add(0);
    add(1);
    const std::string folder = scratch / "moved";
    std::filesystem::create_directory(folder);
    for (const unsigned n : {0u, 1u})
        std::filesystem::rename(file(n), folder + "/" + std::to_string(n));
    const ImageReader image = ImageReader::open(folder + "/1");
    EXPECT_EQ(image.layers()[1].path, folder + "/0");
    EXPECT_EQ(ram_of(image), ram_of(seeds));
}

TEST_F(Chain, OfMoreThan64IsRefused) {
    for (unsigned n = 0; n <= max_chain; ++n)
        add(n);
    EXPECT_NO_THROW(ImageReader::open(file(max_chain - 1)));
    EXPECT_THAT(refusal(file(max_chain)), HasSubstr("rests on more than 63 others"));
}

TEST_F(Chain, AChangedBitInEveryByteOfTheMetadataIsRefused) {
    add(0);
    add(1);
    const uint64_t whole = os::file_info(file(1))->size;
    for (uint64_t at = ram_end(ImageReader::open(file(1)).blocks()); at < whole; ++at) {
        flip(file(1), at);
        EXPECT_THAT(refusal(file(1)), HasSubstr("was altered")) << at;
        flip(file(1), at);
    }
    EXPECT_NO_THROW(ImageReader::open(file(1)));
}

class Fold : public Chain {
  protected:
    /// Image n without those between it and `parent`; "" = whole.
    void fold(unsigned n, const std::string& parent) {
        {
            const os::Fd fresh = os::create_exclusive(scratch / "fresh");
            fold_image(file(n), parent, fresh, scratch / "fresh", {});
        }
        std::filesystem::rename(scratch / "fresh", file(n));
    }
    void expect_all_as_they_were() {
        for (unsigned n = 0; n < history.size(); ++n)
            if (os::exists(file(n))) {
                EXPECT_EQ(ram_of(ImageReader::open(file(n))), ram_of(history[n])) << n;
            }
    }
};

TEST_F(Fold, AMiddleImageGoesAndItsDescendantsStay) {
    for (unsigned n = 0; n <= 4; ++n)
        add(n);
    fold(2, file(0));
    std::filesystem::remove(file(1));
    expect_all_as_they_were();
    EXPECT_EQ(ImageReader::open(file(4)).layers().size(), 4u);
    EXPECT_EQ(image_link(file(2)).names_of_before.size(), 1u);
    EXPECT_LE(allocated(file(2)), 2 * page_size + 8192);
    EXPECT_EQ(ImageReader::open(file(2)).device_state(), ImageReader::open(file(3)).device_state());
}

TEST_F(Fold, TheFirstGoesAndTheNextIsWhole) {
    for (unsigned n = 0; n <= 3; ++n)
        add(n);
    fold(1, "");
    std::filesystem::remove(file(0));
    EXPECT_FALSE(image_link(file(1)).parent);
    expect_all_as_they_were();
    const ImageReader whole = image_of(stream_with(history[1]), scratch / "whole");
    EXPECT_EQ(stream_of(ImageReader::open(file(1))), stream_of(whole));
}

TEST_F(Fold, AgainAndAgain) {
    for (unsigned n = 0; n <= 10; ++n)
        add(n);
    for (unsigned n = 9; n > 0; --n) {
        fold(10, file(n - 1));
        std::filesystem::remove(file(n));
        expect_all_as_they_were();
    }
    fold(10, "");
    std::filesystem::remove(file(0));
    expect_all_as_they_were();
    EXPECT_EQ(image_link(file(10)).names_of_before.size(), 10u);
}

TEST_F(Fold, RefusesWhatItDoesNotRestOnAndDamage) {
    add(0);
    add(1);
    const auto refused = [&](ErrorCode code, const std::string& parent) {
        std::filesystem::remove(scratch / "fresh");
        const os::Fd fresh = os::create_exclusive(scratch / "fresh");
        return std::string(
            error_of(code, [&] { fold_image(file(1), parent, fresh, scratch / "fresh", {}); }).what());
    };
    EXPECT_THAT(refused(ErrorCode::conflict, file(1)), HasSubstr("does not rest on"));
    EXPECT_THAT(refused(ErrorCode::conflict, scratch / "other"), HasSubstr("does not rest on"));
    flip(file(0), 30 * page_size);
    EXPECT_THAT(refused(ErrorCode::corrupt, ""), HasSubstr("page 30 of 'pc.ram'"));
    error_of(ErrorCode::corrupt, [&] { ImageReader::open(scratch / "fresh"); });
}

TEST(IncrementalFormat, RunsGoThereAndBack) {
    using enum PageState;
    const std::vector<PageState> states{data, data, as_parent, zero, absent, as_parent, as_parent};
    const std::string bytes = encode_runs(states);
    EXPECT_EQ(bytes.size(), 5 * 4u);
    EXPECT_EQ(decode_runs(bytes, 7), states);
    EXPECT_FALSE(decode_runs(bytes, 6)) << "more pages than there are";
    EXPECT_FALSE(decode_runs(bytes, 8)) << "fewer";
    EXPECT_FALSE(decode_runs(bytes.substr(0, 19), 7)) << "half a run";
    EXPECT_FALSE(decode_runs(bytes + std::string(4, '\0'), 7)) << "a run of no pages";
    EXPECT_EQ(decode_runs("", 0), std::vector<PageState>{});
}

TEST(IncrementalFormat, ChecksumsOfDataAlone) {
    using enum PageState;
    const std::vector<PageState> states{data, zero, as_parent, data};
    EXPECT_THAT(without_gaps(states, std::vector<uint64_t>{5, 0, 0, 6}), ElementsAre(5, 6));
    EXPECT_THAT(with_gaps(states, std::vector<uint64_t>{5, 6}), ElementsAre(5, 0, 0, 6));
}

TEST(IncrementalFormat, AParentIsNamedByAnAbsolutePath) {
    const std::string hash(8, 'h');
    EXPECT_EQ(decode_parent(encode(ParentLink{7, "/vm/a.mem"}))->path, "/vm/a.mem");
    EXPECT_FALSE(decode_parent(hash));
    EXPECT_FALSE(decode_parent(hash + "a.mem"));
    EXPECT_FALSE(decode_parent(hash + std::string("/a\0b", 4)));
    EXPECT_FALSE(decode_parent(hash + std::string(5000, '/')));
}

} // namespace
} // namespace domsnap::memory
