// What a process changed of an image that it has mapped becomes another image, while the process stands still
// for no longer than a copy takes.
#include "mapping_child.h"
#include "memory/changed_capture.h"
#include "memory/placed_blocks.h"

#include <cstdlib>
#include <cstring>
#include <gmock/gmock.h>

namespace domsnap::memory {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uint64_t pages = 64, ram_size = pages * page_size;
const std::vector<StreamBlock> blocks{
    {"vga.vram", 4 * page_size}, {"pc.ram", ram_size}, {"pc.bios", 2 * page_size}};

/// A quarter of RAM is zero, another page was never sent; the firmware is what its seed makes it.
std::string stream_with(unsigned page_40 = 40) {
    StreamBuilder s;
    s.header().start(blocks);
    s.section(wire::section_part).zero(0, "vga.vram");
    for (uint64_t page = 0; page < pages - 1; ++page)
        if (page < 16)
            s.zero(page, "pc.ram");
        else
            s.data(page, page_of(page == 40 ? page_40 : static_cast<unsigned>(page)), "pc.ram");
    s.data(0, page_of(900), "pc.bios").data(1, page_of(901), "pc.bios").close();
    return s.device("cpu", "old state").finish();
}

/// As xen-save-devices-state writes it.
std::string device_state(const std::string& state) {
    StreamBuilder s;
    put_big(s.bytes, wire::magic);
    put_big(s.bytes, wire::version);
    s.bytes += StreamBuilder().device_section("cpu", state);
    s.bytes.push_back(wire::end_of_stream);
    return s.bytes;
}

void put(char* at, unsigned seed) { std::memcpy(at, page_of(seed).data(), page_size); }

/// One page is new where there were zeros, one differs, one is zero now, one was written to and is the same.
void change(char* ram, const std::vector<char*>& small) {
    put(ram + 3 * page_size, 1003);
    put(ram + 20 * page_size, 1020);
    std::memset(ram + 21 * page_size, 0, page_size);
    put(ram + 22 * page_size, 22);
    put(small[0] + page_size, 800);
    put(small[1], 900);
    put(small[1] + page_size, 901);
}

class ChangedRamTest : public testing::Test {
  protected:
    void SetUp() override { ::setenv("DOMSNAP_LIBEXEC_DIR", CAPTURE_FOLDER, 1); }
    void TearDown() override { ::unsetenv("DOMSNAP_LIBEXEC_DIR"); }

    ChangedSource source() const {
        const std::vector<ListedBlock> listed{{"pc.ram", ram_size, ram_size},
                                              {"vga.vram", 4 * page_size, 4 * page_size},
                                              {"pc.bios", 2 * page_size, 2 * page_size}};
        return {whole.path(), guest.process(), place_blocks(guest.process(), whole, listed, guest.ram(), {})};
    }
    ChangedCapture begin(const std::string& parent) {
        os::create_exclusive(saved);
        auto capture = ChangedCapture::start(source(), saved, some_identity, scratch / "log", parent, {});
        capture.await_ready(soon);
        return capture;
    }
    void copy(ChangedCapture& capture) const {
        capture.copy();
        capture.await_copied(soon);
    }
    CaptureResult end(ChangedCapture capture, const std::string& state) const {
        capture.give_device_state(state);
        return capture.take_process().wait({}, 0, soon);
    }
    CaptureResult save(const std::string& parent) {
        auto capture = begin(parent);
        copy(capture);
        return end(std::move(capture), device_state("new state"));
    }
    std::string ram_in(const ImageReader& image) const {
        std::string ram(ram_size, '\0');
        for (uint64_t page = 0; page < pages; ++page)
            if (image.state(1, page) == PageState::data) image.read_pages(1, page, 1, &ram[page * page_size]);
        return ram;
    }
    void expect_all_of_it(const ImageReader& image) const {
        EXPECT_EQ(ram_in(image), guest.content());
        EXPECT_EQ(image.device_state(), StreamBuilder().device_section("cpu", "new state"));
        EXPECT_EQ(image.stream_header(), whole.stream_header());
        EXPECT_EQ(image.state(0, 0), PageState::zero) << "never touched";
        std::string screen(page_size, '\0');
        image.read_pages(0, 1, 1, screen.data());
        EXPECT_EQ(screen, page_of(800));
        EXPECT_EQ(image.checksum(2, 1), whole.checksum(2, 1));
        verify_pages(image);
    }

    const Deadline soon = Deadline::after(30s);
    Scratch scratch;
    const std::string saved = scratch / "saved";
    ImageReader whole = image_of(stream_with(), scratch / "whole");
    MappingChild guest{
        os::open_read(scratch / "whole").get(), ram_size, change, {4 * page_size, 2 * page_size}};
};

TEST_F(ChangedRamTest, OnAParentOnlyWhatDiffersIsStored) {
    const auto result = save(whole.path());
    EXPECT_EQ(result.data_pages, 3U) << "two of RAM, one of the screen";
    EXPECT_EQ(result.whole_because, "");
    const auto image = ImageReader::open(saved);
    EXPECT_EQ(image.layers().size(), 2U);
    EXPECT_EQ(image.layer(1, 22), 1U) << "written to, and the same";
    EXPECT_EQ(image.state(1, 21), PageState::zero);
    expect_all_of_it(image);
}

TEST_F(ChangedRamTest, WithoutAParentAllIsStored) {
    save({});
    const auto image = ImageReader::open(saved);
    EXPECT_EQ(image.layers().size(), 1U);
    EXPECT_EQ(image.data_pages(), whole.data_pages() + 1) << "one more of RAM, one less, one of the screen";
    expect_all_of_it(image);
}

TEST_F(ChangedRamTest, WhatTheParentHasOtherwiseIsNotTheParents) {
    const auto upper = image_of(stream_with(4040), scratch / "upper", whole.path());
    ASSERT_EQ(upper.layer(1, 40), 0U);
    save(upper.path());
    const auto image = ImageReader::open(saved);
    EXPECT_EQ(image.layers().size(), 3U);
    EXPECT_EQ(image.layer(1, 40), 0U) << "the guest never had the parent's";
    EXPECT_EQ(image.layer(1, 41), 2U);
    expect_all_of_it(image);
}

TEST_F(ChangedRamTest, AParentThatRestsOnNothingOfItIsCompared) {
    const auto other = image_of(stream_with(4040), scratch / "other");
    save(other.path());
    const auto image = ImageReader::open(saved);
    EXPECT_EQ(image.layers().size(), 2U);
    EXPECT_EQ(image.layer(1, 41), 1U);
    expect_all_of_it(image);
}

TEST_F(ChangedRamTest, WhoeverStartedItMayGoAtAnyMoment) {
    for (const bool copied : {false, true}) {
        {
            auto capture = begin(whole.path());
            if (copied) copy(capture);
        }
        ASSERT_TRUE(wait_for_capture(saved, soon));
        EXPECT_THAT(refusal(saved), HasSubstr("torn"));
        os::remove_file_durably(saved);
    }
}

TEST_F(ChangedRamTest, DeviceStateThatIsNoneMakesNoImage) {
    for (const std::string& state :
         {std::string("nothing"), device_state("cut").substr(0, 20), std::string()}) {
        auto capture = begin(whole.path());
        copy(capture);
        const auto error = error_of(ErrorCode::corrupt, [&] { end(std::move(capture), state); });
        EXPECT_THAT(error.what(), HasSubstr("device state"));
        EXPECT_THAT(refusal(saved), HasSubstr("torn"));
        os::remove_file_durably(saved);
    }
}

TEST_F(ChangedRamTest, AProcessThatIsGoneIsToldBeforeTheGuestIsStopped) {
    auto gone = source();
    gone.process.start_ticks += 1;
    os::create_exclusive(saved);
    auto capture = ChangedCapture::start(gone, saved, some_identity, scratch / "log", {}, {});
    EXPECT_THAT(error_of(ErrorCode::io, [&] { capture.await_ready(soon); }).what(), HasSubstr("is gone"));
}

// ---- where the blocks lie

ListedBlock listed(const std::string& name, uint64_t count, uint64_t address = 0) {
    return {name, count * page_size, count * page_size, address};
}

/// A whole image with the main block and two small ones of one size.
class PlacedBlocksTest : public testing::Test {
  protected:
    ImageReader image_with(const std::string& name, unsigned first, unsigned second) const {
        StreamBuilder s;
        s.header().start({{"pc.ram", page_size}, {"a", 2 * page_size}, {"b", 2 * page_size}});
        s.section(wire::section_part).data(0, page_of(1), "pc.ram");
        first ? s.data(0, page_of(first), "a") : s.zero(0, "a");
        second ? s.data(0, page_of(second), "b") : s.zero(0, "b");
        return image_of(s.close().device("cpu", "state").finish(), scratch / name);
    }
    MappingChild child_of(const ImageReader& image, unsigned first, unsigned second) const {
        return {os::open_read(image.path()).get(),
                page_size,
                [=](char*, const std::vector<char*>& small) {
                    if (first) put(small[0], first);
                    if (second) put(small[1], second);
                },
                {2 * page_size, 2 * page_size}};
    }
    std::vector<PlacedBlock> place(const MappingChild& child, const ImageReader& image, uint64_t a = 0,
                                   uint64_t b = 0) const {
        return place_blocks(child.process(), image,
                            {listed("b", 2, b), listed("a", 2, a), listed("pc.ram", 1)}, child.ram(), {});
    }

    Scratch scratch;
};

TEST_F(PlacedBlocksTest, OfOneSizeAreToldByWhatTheyHeld) {
    const auto image = image_with("image", 7, 8);
    const auto child = child_of(image, 8, 7); // the other way round
    EXPECT_EQ(place(child, image), (std::vector<PlacedBlock>{{"pc.ram", page_size, child.ram()},
                                                             {"a", 2 * page_size, child.small(1)},
                                                             {"b", 2 * page_size, child.small(0)}}));
}

TEST_F(PlacedBlocksTest, TheLastOfASizeIsWhatIsLeft) {
    const auto image = image_with("image", 7, 8);
    const auto child = child_of(image, 7, 99); // b has changed
    EXPECT_EQ(place(child, image)[2].address, child.small(1));
}

TEST_F(PlacedBlocksTest, ThatCannotBeToldAreRefused) {
    const auto both = image_with("both", 7, 8);
    error_of(ErrorCode::unsupported, [&] { place(child_of(both, 98, 99), both); });
    const auto zero = image_with("zero", 0, 8);
    error_of(ErrorCode::unsupported, [&] { place(child_of(zero, 0, 99), zero); }); // zeros tell nothing
}

TEST_F(PlacedBlocksTest, LieWhereQemuSays) {
    const auto image = image_with("image", 7, 8);
    const auto child = child_of(image, 98, 99);
    EXPECT_EQ(place(child, image, child.small(0), child.small(1))[1].address, child.small(0));
}

TEST_F(PlacedBlocksTest, OtherBlocksAreRefused) {
    const auto image = image_with("image", 7, 8);
    const auto child = child_of(image, 7, 8);
    const auto refused = [&](const std::vector<ListedBlock>& others) {
        return error_of(ErrorCode::unsupported,
                        [&] { place_blocks(child.process(), image, others, child.ram(), {}); });
    };
    refused({listed("pc.ram", 1), listed("a", 2)});
    refused({listed("pc.ram", 1), listed("a", 2), listed("b", 3)});
    refused({listed("pc.ram", 1), listed("a", 2), listed("c", 2)});
    refused({listed("pc.ram", 1), listed("a", 2), listed("b", 2), listed("c", 2)});
}

TEST_F(PlacedBlocksTest, AnotherFilesMappingIsRefused) {
    const auto image = image_with("image", 7, 8), other = image_with("other", 7, 8);
    const auto child = child_of(image, 7, 8);
    EXPECT_THAT(error_of(ErrorCode::unsupported, [&] { place(child, other); }).what(),
                HasSubstr("not mapped from"));
}

} // namespace
} // namespace domsnap::memory
