// A copy of an image's RAM in the host's memory, and a process that has it mapped made that of an image
// again.
#include "mapping_child.h"
#include "memory/ram_copy.h"
#include "memory/rewind.h"

#include <gmock/gmock.h>

namespace domsnap::memory {
namespace {

using testing::HasSubstr;

constexpr uint64_t pages = 64;

/// From there on pages are another's.
unsigned seed_of(uint64_t page, uint64_t other_from) {
    return static_cast<unsigned>(page) + (page >= other_from ? 1000 : 0);
}

/// The first eight pages are zero, and of those every other one was never sent.
std::string stream_with(uint64_t other_from = pages) {
    StreamBuilder s;
    s.header().start({{"vga.vram", page_size}, {"pc.ram", pages * page_size}});
    s.section(wire::section_part).data(0, page_of(77), "vga.vram");
    for (uint64_t page = 0; page < pages; ++page)
        if (page >= 8)
            s.data(page, page_of(seed_of(page, other_from)), "pc.ram");
        else if (page % 2)
            s.zero(page, "pc.ram");
    s.close();
    return s.device("cpu", "state").finish();
}

std::string ram_with(uint64_t other_from = pages) {
    std::string ram(8 * page_size, '\0');
    for (uint64_t page = 8; page < pages; ++page)
        ram += page_of(seed_of(page, other_from));
    return ram;
}

constexpr uint64_t ram_size = pages * page_size;

/// It has the copy mapped, and has written to two of its pages.
class Guest : public MappingChild {
  public:
    explicit Guest(const os::MemoryFile& copy)
        : MappingChild(copy.fd().get(), ram_size, [](char* ram, const auto&) {
              ram[page_size] = 'x';
              ram[20 * page_size] = 'y';
          }) {}
};

} // namespace

TEST(RamCopy, HoldsTheMainBlockAndAllOfItsMemory) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    uint64_t done = 0;
    const auto copy = copy_ram(image, {[&](uint64_t at, uint64_t) { done = at; }, {}});
    std::string content(pages * page_size, '\0');
    os::read_at(copy.fd().get(), content.data(), content.size(), 0, "the copy");
    EXPECT_EQ(content, ram_with());
    EXPECT_EQ(done, content.size());
    const auto file = os::file_info("/proc/self/fd/" + std::to_string(copy.fd().get()));
    EXPECT_EQ(file->size, content.size());
    EXPECT_EQ(file->allocated, content.size()) << "the pages of zeros too";
    EXPECT_EQ(identity_of(copy, image), (RamCopy{image_hash(image.path()), file->device, file->inode}));
}

TEST(RamCopy, ADamagedPageIsNotCopied) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    flip(image.path(), 30 * page_size + 5);
    EXPECT_THAT(error_of(ErrorCode::corrupt, [&] { copy_ram(image, {}); }).what(), HasSubstr("checksum"));
}

TEST(RamCopy, IsMadeOfAWholeImageOnlyAndCanBeCancelled) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    const auto upper = image_of(stream_with(60), scratch / "upper", image.path());
    ASSERT_EQ(upper.layers().size(), 2U);
    error_of(ErrorCode::conflict, [&] { copy_ram(upper, {}); });
    error_of(ErrorCode::cancelled, [&] { copy_ram(image, {{}, [] { return true; }}); });
}

TEST(RamCopy, AGuestOfItIsRewoundByItsOwnPages) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    const auto copy = copy_ram(image, {});
    const Guest guest(copy);
    const auto process = guest.memory();
    Rewind rewind(image, process, guest.ram(), identity_of(copy, image));
    EXPECT_EQ(rewind.compare(), 2U);
    EXPECT_EQ(rewind.compared(), 2U) << "nothing else had to be read";
    rewind.write();
    EXPECT_EQ(guest.content(), ram_with());
}

TEST(RamCopy, OfAnotherImageTellsNothing) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    const auto other = image_of(stream_with(8), scratch / "other");
    const auto copy = copy_ram(image, {});
    const Guest guest(copy);
    const auto process = guest.memory();
    Rewind rewind(other, process, guest.ram(), identity_of(copy, image));
    EXPECT_EQ(rewind.compare(), pages - 8 + 1);
    EXPECT_EQ(rewind.compared(), pages) << "all of it had to be read";
    rewind.write();
    EXPECT_EQ(guest.content(), ram_with(8));
}

TEST(RamCopy, TouchedPagesAreAtHand) {
    const Scratch scratch;
    const auto image = image_of(stream_with(), scratch / "image");
    const auto copy = copy_ram(image, {});
    const Guest guest(copy);
    guest.memory().touch({guest.ram(), ram_size});
    EXPECT_EQ(guest.memory().own_pages(guest.ram(), ram_size).size(), 2U) << "to read is not to write";
}

} // namespace domsnap::memory
