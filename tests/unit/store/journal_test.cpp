#include "scratch.h"

#include "store/journal.h"
#include "store/journal_text.h"

#include <domsnap/error.h>
#include <gtest/gtest.h>

namespace domsnap::store {
namespace {

struct JournalTest : testing::Test {
    test::Scratch scratch;
    std::string path = scratch.path() + "/journal";
    void put(std::string_view content) { os::write_file(path, content); }
    /// Without the room for more.
    std::string bytes() const { return entries_of(path); }
    static std::string entries_of(const std::string& path) {
        const auto whole = os::read_file(path, 1 << 20);
        return whole.substr(0, parse_journal(whole, path)->intact);
    }
};

constexpr const char* plan_text = "{\"steps\": [\n\"mark 3 0123456789abcdef\"\n]}";

std::vector<size_t> write_sample(const std::string& path) {
    auto journal = Journal::open(path, plan_text);
    std::vector<size_t> ends{JournalTest::entries_of(path).size()};
    const auto mark = [&](StepMark what, uint32_t step, std::string_view note) {
        journal.mark(what, step, note);
        ends.push_back(JournalTest::entries_of(path).size());
    };
    mark(StepMark::begun, 0, "");
    mark(StepMark::done, 0, "");
    mark(StepMark::begun, 1, "");
    mark(StepMark::failed, 1, "No space left\non device \xF0\x9F\x92\xBE");
    mark(StepMark::undoing, 1, "");
    mark(StepMark::undone, 1, "");
    return ends;
}

ErrorCode code_of(const std::string& path) {
    try {
        load_journal(path);
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
        return error.code();
    }
    ADD_FAILURE() << "the journal was accepted";
    return ErrorCode::timed_out;
}

TEST_F(JournalTest, ReadsBackWhatWasMarked) {
    write_sample(path);
    const auto content = load_journal(path);
    ASSERT_TRUE(content);
    EXPECT_EQ(content->plan, plan_text);
    ASSERT_EQ(content->entries.size(), 6u);
    EXPECT_EQ(content->entries[3].mark, StepMark::failed);
    EXPECT_EQ(content->entries[3].step, 1u);
    EXPECT_EQ(content->entries[3].note, "No space left\non device \xF0\x9F\x92\xBE");
    EXPECT_EQ(content->entries[5].mark, StepMark::undone);
}

TEST_F(JournalTest, IsPrivateAndExclusive) {
    auto journal = Journal::open(path, "p");
    EXPECT_EQ(os::file_info(path)->mode & 0777, 0600u);
    try {
        Journal::open(path, "q");
        FAIL() << "a second journal was opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
    EXPECT_EQ(load_journal(path)->plan, "p");
    journal.close();
    EXPECT_FALSE(os::exists(path));
    EXPECT_FALSE(load_journal(path));
}

TEST_F(JournalTest, LoaderAcceptsACutAtAnyByte) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    for (size_t cut = 0; cut <= whole.size(); ++cut) {
        put(whole.substr(0, cut));
        const auto content = load_journal(path);
        ASSERT_EQ(content.has_value(), cut >= ends[0]) << "cut at " << cut;
        if (!content) continue;
        const auto marks =
            static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin()) - 1;
        ASSERT_EQ(content->entries.size(), marks) << "cut at " << cut;
        ASSERT_EQ(content->plan, plan_text);
    }
}

// A file system may have grown the file before the data reached it.
TEST_F(JournalTest, LoaderAcceptsATornTailOfZeros) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    for (size_t cut = ends[0]; cut < whole.size(); ++cut) {
        const auto end = *std::upper_bound(ends.begin(), ends.end(), cut);
        put(whole.substr(0, cut) + std::string(end - cut, '\0'));
        ASSERT_NO_THROW(ASSERT_TRUE(load_journal(path))) << "zeros from " << cut;
    }
}

TEST_F(JournalTest, EveryChangedByteBeforeTheLastEntryIsCorruption) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    for (size_t at = journal_header.size(); at < ends[ends.size() - 2]; ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        put(changed);
        ASSERT_EQ(code_of(path), ErrorCode::corrupt) << "byte " << at;
    }
}

TEST_F(JournalTest, AChangedByteInTheLastEntryLosesThatEntryOnly) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    for (size_t at = ends[ends.size() - 2]; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        put(changed);
        ASSERT_EQ(load_journal(path)->entries.size(), 5u) << "byte " << at;
    }
}

TEST_F(JournalTest, ALostOrDoubledEntryIsCorruption) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    put(whole.substr(0, ends[1]) + whole.substr(ends[2]));
    EXPECT_EQ(code_of(path), ErrorCode::corrupt);
}

TEST_F(JournalTest, AnotherFileOrANewerVersionIsRefused) {
    put("domsnap journal 3\nwhatever");
    EXPECT_EQ(code_of(path), ErrorCode::unsupported);
    put("#!/bin/sh\n");
    EXPECT_EQ(code_of(path), ErrorCode::corrupt);
    put("domsnap journal x\n");
    EXPECT_EQ(code_of(path), ErrorCode::corrupt);
}

TEST_F(JournalTest, GoesOnAfterACutAtAnyByte) {
    const auto ends = write_sample(path);
    const std::string whole = bytes();
    for (size_t cut = ends[0]; cut <= whole.size(); ++cut) {
        put(whole.substr(0, cut));
        const auto before = load_journal(path)->entries.size();
        Journal::resume(path).mark(StepMark::undone, 7, "after");
        const auto after = load_journal(path);
        ASSERT_EQ(after->entries.size(), before + 1) << "cut at " << cut;
        ASSERT_EQ(after->entries.back().step, 7u);
        ASSERT_EQ(after->entries.back().note, "after");
    }
}

// A sync costs half where the file neither grows nor gets new blocks.
TEST_F(JournalTest, MarksAreWrittenWhereThereIsRoom) {
    auto journal = Journal::open(path, plan_text);
    const auto size = os::file_info(path)->size;
    for (uint32_t step = 0; step < 100; ++step)
        journal.mark(StepMark::begun, step);
    EXPECT_EQ(os::file_info(path)->size, size);
    for (uint32_t step = 100; step < 500; ++step)
        journal.mark(StepMark::begun, step);
    EXPECT_EQ(load_journal(path)->entries.size(), 500u) << "the room was used up";
    const auto inode = os::file_info(path)->inode;
    Journal::resume(path);
    EXPECT_EQ(os::file_info(path)->inode, inode) << "what is not torn is gone on with where it is";
}

TEST_F(JournalTest, AStepThatIsBegunSaysThatThoseBeforeItAreDone) {
    auto journal = Journal::open(path, plan_text);
    EXPECT_EQ(steps_done(*load_journal(path)), 0u);
    journal.mark(StepMark::begun, 0);
    EXPECT_EQ(steps_done(*load_journal(path)), 0u);
    journal.mark(StepMark::begun, 1);
    EXPECT_EQ(steps_done(*load_journal(path)), 1u);
    journal.mark(StepMark::done, 1);
    EXPECT_EQ(steps_done(*load_journal(path)), 2u);
}

TEST_F(JournalTest, AnOldOneIsReadAndBecomesNew) {
    write_sample(path);
    std::string old = bytes();
    old[old.find('\n') - 1] = '1';
    put(old);
    EXPECT_EQ(load_journal(path)->entries.size(), 6u);
    Journal::resume(path).mark(StepMark::undone, 0);
    EXPECT_EQ(load_journal(path)->entries.size(), 7u);
    EXPECT_TRUE(bytes().starts_with(journal_header));
}

TEST_F(JournalTest, NothingToGoOnWith) {
    EXPECT_THROW(Journal::resume(path), Error);
    put(std::string(journal_header).substr(0, 5));
    EXPECT_THROW(Journal::resume(path), Error);
}

TEST_F(JournalTest, ASymbolicLinkIsNotFollowed) {
    const std::string elsewhere = scratch.path() + "/elsewhere";
    write_sample(elsewhere);
    ASSERT_EQ(::symlink(elsewhere.c_str(), path.c_str()), 0);
    EXPECT_EQ(code_of(path), ErrorCode::corrupt);
}

TEST_F(JournalTest, AFolderThatIsMissingIsNamed) {
    const std::string missing = scratch.path() + "/none/journal";
    try {
        Journal::open(missing, "p");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(missing), std::string::npos);
    }
}

} // namespace
} // namespace domsnap::store
