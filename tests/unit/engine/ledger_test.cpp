// The ledger on real files: what is noted when, and that doing it twice is doing it once.
#include "engine/ledger.h"

#include "../image/images.h"
#include "base/error.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace domsnap::engine {

using model::FileRole;

namespace {

class LedgerTest : public Chain {
  protected:
    void SetUp() override {
        Chain::SetUp();
        folder.put_definition("<domain/>");
    }
    model::KnownFile entry(const std::string& path) const { return ledger.find(path).value(); }

    store::DomainFolder folder{scratch / "state", "g"};
    Ledger ledger{folder};
};

void write_later(const std::string& path) {
    const timespec times[2] = {{0, UTIME_OMIT}, {1'900'000'000, 5}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

} // namespace

TEST_F(LedgerTest, knows_what_was_made) {
    EXPECT_FALSE(ledger.find(mid));
    ledger.made(mid, FileRole::overlay);
    ledger.made(mid, FileRole::overlay);
    const auto file = entry(mid);
    EXPECT_TRUE(file.made);
    EXPECT_FALSE(file.frozen);
    EXPECT_EQ(file.place.inode, os::file_info(mid)->inode);
    EXPECT_EQ(file.header->backing, base);
    EXPECT_EQ(file.header->backing_format, "qcow2");
    EXPECT_EQ(file.header->virtual_size, size);
    EXPECT_EQ(ledger.all({}).size(), 1U);
    ledger.forget(mid);
    ledger.forget(mid);
    EXPECT_FALSE(ledger.find(mid));
}

TEST_F(LedgerTest, an_entry_is_private_whatever_the_umask) {
    const auto old = ::umask(0);
    ledger.made(mid, FileRole::overlay);
    ::umask(old);
    for (const auto& file : folder.file_entries())
        EXPECT_EQ(os::file_info(file)->mode, 0600U);
    EXPECT_EQ(os::file_info(folder.path() + "/files")->mode, 0700U);
}

TEST_F(LedgerTest, what_is_frozen_keeps_its_maker_and_is_noted_anew_only_when_told) {
    ledger.made(mid, FileRole::overlay);
    ledger.frozen(mid, "qcow2", true);
    ledger.frozen(base, "qcow2", false);
    EXPECT_TRUE(entry(mid).made && entry(mid).frozen);
    EXPECT_EQ(entry(base).role, FileRole::given);
    EXPECT_FALSE(entry(base).made);
    const auto before = entry(base);
    write_later(base);
    ledger.frozen(base, "qcow2", false);
    EXPECT_EQ(entry(base), before);
    ledger.frozen(base, "qcow2", true);
    EXPECT_EQ(entry(base).content.modified, 1'900'000'000'000'000'005U);
}

TEST_F(LedgerTest, a_raw_file_is_never_probed) {
    ledger.frozen(base, "raw", true); // it begins with a qcow2 header, as a hostile guest's disk may
    EXPECT_FALSE(entry(base).header);
}

TEST_F(LedgerTest, a_merge_leaves_the_base_as_frozen_as_the_child_was) {
    for (const auto& path : {mid, top})
        ledger.made(path, FileRole::overlay);
    ledger.frozen(base, "qcow2", true);
    image::commit(mid, "qcow2", base, {});
    image::rebase(top, "qcow2", base, "qcow2", true, {});
    for (int times = 0; times < 2; ++times) {
        ledger.merged(mid, base);
        EXPECT_FALSE(entry(base).frozen);
        EXPECT_EQ(entry(top).header->backing, base);
    }
}

TEST_F(LedgerTest, what_nothing_is_known_of_is_not_renewed) {
    ledger.renew(base);
    ledger.merged(mid, base);
    EXPECT_TRUE(ledger.all({}).empty());
}

TEST_F(LedgerTest, a_damaged_entry_is_as_good_as_none) {
    ledger.made(mid, FileRole::overlay);
    ledger.made(top, FileRole::overlay);
    os::write_file(folder.file_entries().front(), "<!-- domsnap file 1 0 -->\n");
    std::vector<std::string> warnings;
    const Control control{{}, [&](const std::string& line) { warnings.push_back(line); }, nullptr};
    EXPECT_EQ(ledger.all(control).size(), 1U);
    EXPECT_EQ(warnings.size(), 1U);
    os::write_file(folder.file_entries().front(), "<!-- domsnap file 2 of tomorrow -->\n<file/>");
    const Error newer = error_of(ErrorCode::unsupported, [&] { ledger.all({}); });
    EXPECT_THAT(newer.what(), ::testing::HasSubstr("written by a newer domsnap"));
}

} // namespace domsnap::engine
