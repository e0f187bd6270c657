#include "images.h"
#include "memory/hot_pages.h"
#include "memory/page_choice.h"

#include <gtest/gtest.h>

namespace domsnap::memory {
namespace {

/// pc.ram has data at 0, 1, 7, a page that became zero at 4, nothing elsewhere (streams.h).
class PageChoiceTest : public testing::Test {
  protected:
    Scratch scratch;
    const ImageReader image = image_of(small_stream(), scratch / "image");
    const size_t ram = 1;

    static std::string shown(const std::optional<PagesToSend>& pages) {
        if (!pages) return "none";
        return std::to_string(pages->block) + ":" + std::to_string(pages->first) + "+" +
               std::to_string(pages->count) + (pages->state == PageState::data ? "" : " zero");
    }
};

TEST_F(PageChoiceTest, GivesEveryPageOfDataOnceAndZerosOnlyWhenAsked) {
    PageChoice choice(image);
    EXPECT_EQ(choice.left(), 5u);
    EXPECT_EQ(shown(choice.wanted()), "none");
    EXPECT_EQ(shown(choice.unasked(8)), "0:1+1");
    choice.want(ram, 4, 2);
    choice.want(ram, 7, 1);
    choice.want(ram, 7, 1);
    EXPECT_EQ(shown(choice.wanted()), "1:4+1 zero");
    EXPECT_EQ(shown(choice.wanted()), "1:5+1 zero");
    EXPECT_EQ(shown(choice.wanted()), "1:7+1");
    EXPECT_EQ(shown(choice.wanted()), "none");
    EXPECT_EQ(shown(choice.unasked(8)), "1:0+2");
    EXPECT_EQ(shown(choice.unasked(8)), "2:0+1");
    EXPECT_EQ(shown(choice.unasked(8)), "none");
    EXPECT_EQ(choice.left(), 0u);
}

TEST_F(PageChoiceTest, GoesOnBehindWhatWasWanted) {
    PageChoice choice(image);
    choice.want(ram, 0, 1);
    EXPECT_EQ(shown(choice.wanted()), "1:0+1");
    EXPECT_EQ(shown(choice.unasked(1)), "1:1+1");
    EXPECT_EQ(shown(choice.unasked(1)), "0:1+1");
    choice.want(ram, 7, 1); // the block's last
    EXPECT_EQ(shown(choice.wanted()), "1:7+1");
    EXPECT_EQ(shown(choice.unasked(8)), "2:0+1");
}

TEST_F(PageChoiceTest, LeavesOutWhatQemuHas) {
    PageChoice choice(image);
    choice.skip_received(ram, std::string("\x83", 1)); // 0, 1, 7
    choice.skip_received(ram, std::string("\xff\xff\xff", 3));
    choice.skip(2, 0);
    EXPECT_EQ(choice.left(), 1u);
    choice.want(ram, 1, 1);
    EXPECT_EQ(shown(choice.wanted()), "none");
    EXPECT_EQ(shown(choice.unasked(8)), "0:1+1");
}

TEST_F(PageChoiceTest, HotPagesAreKeptBesideTheImage) {
    EXPECT_TRUE(read_hot_pages(image).empty());
    write_hot_pages(image, {{1, 7}, {1, 0}, {9, 9}, {1, 800}});
    EXPECT_EQ(read_hot_pages(image), (std::vector<HotPage>{{1, 0}, {1, 7}})) << "what the image does not have";
    const std::string path = hot_pages_path(image.path());
    std::string bytes = content_of(path);
    bytes[33] = static_cast<char>(bytes[33] ^ 1);
    os::write_file(path, bytes);
    EXPECT_TRUE(read_hot_pages(image).empty());
    os::write_file(path, "my notes");
    write_hot_pages(image, {{1, 7}});
    remove_hot_pages(image.path());
    EXPECT_EQ(content_of(path), "my notes") << "a file of somebody else's";
}

TEST_F(PageChoiceTest, HotPagesOfAnotherImageAreNone) {
    const ImageReader other = image_of(
        StreamBuilder().header().start({{"pc.ram", 8 * page_size}}).finish(), scratch / "other");
    write_hot_pages(other, {{0, 1}});
    os::rename_durably(hot_pages_path(other.path()), hot_pages_path(image.path()));
    EXPECT_TRUE(read_hot_pages(image).empty());
    remove_hot_pages(image.path());
    EXPECT_FALSE(os::exists(hot_pages_path(image.path())));
}

} // namespace
} // namespace domsnap::memory
