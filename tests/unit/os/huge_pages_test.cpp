#include "os/huge_pages.h"

#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace domsnap::os {

namespace {

constexpr size_t huge = 2 << 20, small = 4096, places = 4;

/// Small pages of ours: in the first places all of them, in the last one a single page.
class HugePages : public testing::Test {
  protected:
    void SetUp() override {
        void* const all = ::mmap(nullptr, (places + 1) * huge, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        ASSERT_NE(all, MAP_FAILED);
        mapped = static_cast<char*>(all);
        start = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(mapped) + huge - 1) / huge * huge);
        ::madvise(mapped, (places + 1) * huge, MADV_NOHUGEPAGE);
        std::memset(start, 7, (places - 1) * huge);
        start[(places - 1) * huge] = 8;
        ::madvise(mapped, (places + 1) * huge, MADV_HUGEPAGE);
    }
    void TearDown() override { ::munmap(mapped, (places + 1) * huge); }

    size_t restore(bool stop) const {
        return restore_huge_pages(*process_id(::getpid()),
                                  {reinterpret_cast<uintptr_t>(start), places * huge}, [=] { return stop; });
    }
    size_t resident_in_last() const {
        std::vector<unsigned char> there(huge / small);
        EXPECT_EQ(::mincore(start + (places - 1) * huge, huge, there.data()), 0);
        size_t count = 0;
        for (const auto page : there)
            count += page & 1;
        return count;
    }

    char *mapped = nullptr, *start = nullptr;
};

} // namespace

TEST_F(HugePages, are_made_where_most_is_there_and_nothing_changes) {
    // None where this kernel cannot, or has none to give; it may also refuse one for the moment.
    const auto restore_all = [&] {
        size_t all = 0;
        for (size_t tries = 0, more = 1; tries <= places && more > 0; ++tries)
            all += more = restore(false);
        return all;
    };
    auto made = restore_all();
    // The kernel's own khugepaged, which comes every ten seconds, may have come in between.
    for (int tries = 0; tries < 3 && resident_in_last() != 1; ++tries) {
        TearDown();
        SetUp();
        made = restore_all();
    }
    EXPECT_LE(made, places - 1) << "one for each place where most is there";
    EXPECT_EQ(resident_in_last(), 1U) << "little was there, little is";
    for (size_t at = 0; at < (places - 1) * huge; ++at)
        ASSERT_EQ(start[at], 7) << at;
    EXPECT_EQ(start[(places - 1) * huge], 8);
    EXPECT_LE(made + restore(false), places - 1) << "what can be there is there already";
}

TEST_F(HugePages, are_not_made_for_who_wants_no_more) { EXPECT_EQ(restore(true), 0U); }

TEST_F(HugePages, of_a_process_that_is_gone_are_none) {
    EXPECT_EQ(restore_huge_pages({::getpid(), 1}, {reinterpret_cast<uintptr_t>(start), places * huge},
                                 [] { return false; }),
              0U);
}

} // namespace domsnap::os
