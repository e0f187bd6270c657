// The outlines: kept and found again, and as good as none whatever happened to the file.
#include "scratch.h"

#include "store/outlines.h"
#include "store/records.h"

#include <gtest/gtest.h>

namespace domsnap::store {
namespace {

using model::SnapshotOutline;

const SnapshotOutline one{.name = "before update",
                          .parent = "Ünïcødé",
                          .description = "two\nlines",
                          .state = model::SnapshotState::paused,
                          .memory = model::Location::external,
                          .external = true,
                          .creation_time = 1'700'000'000};
const SnapshotOutline root{.name = "r",
                           .parent = {},
                           .description = {},
                           .state = model::SnapshotState::shutoff,
                           .memory = model::Location::no,
                           .external = false,
                           .creation_time = 0};
const std::string first(32, 'a'), second(32, 'b');
constexpr os::FileStamp stamp{.inode = 1, .size = 2, .modified = 3'000'000'000, .changed = 4'000'000'000};
constexpr uint64_t later = 6'000'000'000;

class OutlinesTest : public testing::Test {
  protected:
    void SetUp() override { folder.put_definition("<domain/>"); }
    void keep() const {
        NewOutlines fresh;
        fresh.add(first + ".xml", stamp, one, later);
        fresh.add(second + ".xml", stamp, root, later);
        fresh.write(folder);
    }
    test::Scratch scratch;
    DomainFolder folder{scratch.path() + "/state", "g"};
    std::string path = folder.path() + "/outlines";
};

TEST_F(OutlinesTest, AreFoundAgain) {
    EXPECT_EQ(Outlines(folder).size(), 0u);
    keep();
    const Outlines known(folder);
    EXPECT_EQ(known.size(), 2u);
    EXPECT_EQ(known.find(first + ".xml", stamp), one);
    EXPECT_EQ(known.find(second + ".xml", stamp), root);
    EXPECT_EQ(known.find(std::string(32, 'c') + ".xml", stamp), std::nullopt);
    EXPECT_EQ(os::file_info(path)->mode, 0600u);
}

TEST_F(OutlinesTest, CountForTheVeryFileOnly) {
    keep();
    const Outlines known(folder);
    for (auto member :
         {&os::FileStamp::inode, &os::FileStamp::size, &os::FileStamp::modified, &os::FileStamp::changed}) {
        auto other = stamp;
        other.*member += 1;
        EXPECT_EQ(known.find(first + ".xml", other), std::nullopt);
    }
}

TEST_F(OutlinesTest, OfWhatHasJustChangedAreNotKept) {
    NewOutlines fresh;
    fresh.add(first + ".xml", stamp, one, stamp.changed + 1'999'999'999);
    fresh.add(second + ".xml", stamp, one, stamp.changed + 2'000'000'000);
    fresh.write(folder);
    const Outlines known(folder);
    EXPECT_EQ(known.find(first + ".xml", stamp), std::nullopt);
    EXPECT_EQ(known.find(second + ".xml", stamp), one);
}

TEST_F(OutlinesTest, ThatAreDamagedAreNone) {
    keep();
    const auto whole = os::read_file(path, 4096);
    for (size_t at = 0; at < whole.size(); ++at) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        os::write_file(path, changed);
        EXPECT_EQ(Outlines(folder).size(), 0u) << "byte " << at;
    }
    for (size_t cut = 0; cut < whole.size(); ++cut) {
        os::write_file(path, whole.substr(0, cut));
        EXPECT_EQ(Outlines(folder).size(), 0u) << "cut at " << cut;
    }
    os::write_file(path, whole + '\0');
    EXPECT_EQ(Outlines(folder).size(), 0u);
}

TEST_F(OutlinesTest, GoWithTheDomain) {
    keep();
    folder.remove();
    folder.put_definition("<domain/>");
    EXPECT_EQ(Outlines(folder).size(), 0u);
}

} // namespace
} // namespace domsnap::store
