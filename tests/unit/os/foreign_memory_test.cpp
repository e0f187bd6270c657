// Of a child that has a private mapping of a file and some anonymous memory.
#include "os/foreign_memory.h"

#include "os/file.h"
#include "os/own_pages.h"
#include "scratch.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domsnap::os {

namespace {

constexpr size_t page = 4096, pages = 64, size = page * pages;

class ForeignMemoryTest : public ::testing::Test {
  protected:
    void SetUp() override {
        write_file(path(), std::string(size, 'f'));
        const Fd file = open_read(path());
        mapped_ = address(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.get(), 0));
        anonymous_ = address(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        child_ = fork();
        if (child_ == 0) live();
        // It has written when it stops itself.
        int status = 0;
        waitpid(child_, &status, WUNTRACED);
    }
    void TearDown() override {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
        munmap(pointer(mapped_), size);
        munmap(pointer(anonymous_), size);
    }

    std::string path() const { return scratch_ / "file"; }
    static uint64_t address(void* at) { return reinterpret_cast<uint64_t>(at); }
    static char* pointer(uint64_t at) { return reinterpret_cast<char*>(at); }

    [[noreturn]] void live() const {
        pointer(mapped_)[3 * page] = 'x';
        pointer(mapped_)[4 * page + 17] = 'x';
        pointer(mapped_)[9 * page] = 'x';
        volatile char seen = pointer(mapped_)[20 * page];
        (void)seen;
        pointer(anonymous_)[5 * page] = 'y';
        raise(SIGSTOP);
        _exit(0);
    }

    ForeignMemory memory() const { return ForeignMemory(*process_id(child_)); }

    Scratch scratch_;
    uint64_t mapped_ = 0, anonymous_ = 0;
    pid_t child_ = 0;
};

TEST_F(ForeignMemoryTest, TellsWhichPagesOfAFileWereWrittenTo) {
    const std::vector<AddressRange> own{{mapped_ + 3 * page, 2 * page}, {mapped_ + 9 * page, page}};
    EXPECT_EQ(memory().own_pages(mapped_, size), own);
    const Fd map(open(fmt::format("/proc/{}/pagemap", child_).c_str(), O_RDONLY));
    EXPECT_EQ(read_own_pages(map, mapped_, size), own);
}

TEST_F(ForeignMemoryTest, TellsWhichAnonymousPagesWereTouched) {
    EXPECT_EQ(memory().own_pages(anonymous_, size),
              (std::vector<AddressRange>{{anonymous_ + 5 * page, page}}));
    EXPECT_TRUE(memory().own_pages(anonymous_ + 6 * page, 10 * page).empty());
}

TEST_F(ForeignMemoryTest, ReadsAndWrites) {
    char two[2 * page];
    memory().read(mapped_ + 3 * page, two, sizeof two);
    EXPECT_EQ(two[0], 'x');
    EXPECT_EQ(two[1], 'f');
    EXPECT_EQ(two[page + 17], 'x');
    const std::string bytes(page, 'z');
    memory().write(mapped_ + 30 * page, bytes.data(), bytes.size());
    memory().read(mapped_ + 30 * page, two, page);
    EXPECT_EQ(std::string(two, page), bytes);
    EXPECT_EQ(memory().own_pages(mapped_ + 29 * page, 3 * page).size(), 1U);
    EXPECT_EQ(read_file(path(), size), std::string(size, 'f')) << "the file itself stays";
}

TEST_F(ForeignMemoryTest, KnowsTheMapping) {
    const auto mapping = memory().mapping_of(mapped_ + page, size - page);
    ASSERT_TRUE(mapping);
    EXPECT_EQ(mapping->inode, file_info(path())->inode);
    EXPECT_FALSE(mapping->shared);
    EXPECT_TRUE(mapping->writable);
    EXPECT_FALSE(memory().mapping_of(mapped_, size << 20));
}

TEST_F(ForeignMemoryTest, RefusesAProcessThatIsGone) {
    auto gone = *process_id(child_);
    ++gone.start_ticks;
    EXPECT_THROW(ForeignMemory{gone}, Error);
}

TEST_F(ForeignMemoryTest, SaysWhenAnAddressIsNone) {
    char byte = 0;
    EXPECT_THROW(memory().read(8, &byte, 1), Error);
    EXPECT_THROW(memory().write(8, &byte, 1), Error);
}

} // namespace

} // namespace domsnap::os
