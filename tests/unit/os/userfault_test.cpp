// A process that stands still at write-protected memory which nobody serves is freed from outside.
#include "os/userfault.h"

#include "os/fd.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domsnap::os {
namespace {

constexpr size_t page = 4096;

/// Protects a page of its own; false where this host does not let it.
bool protect(char* memory) {
    const auto faults = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
    uffdio_api api{UFFD_API, UFFD_FEATURE_PAGEFAULT_FLAG_WP, 0};
    if (faults < 0 || ::ioctl(faults, UFFDIO_API, &api) != 0) return false;
    const auto start = reinterpret_cast<uint64_t>(memory);
    uffdio_register region{{start, page}, UFFDIO_REGISTER_MODE_WP, 0};
    uffdio_writeprotect guard{{start, page}, UFFDIO_WRITEPROTECT_MODE_WP};
    return ::ioctl(faults, UFFDIO_REGISTER, &region) == 0 &&
           ::ioctl(faults, UFFDIO_WRITEPROTECT, &guard) == 0;
}

/// Says 'p' when its page is protected, then writes to it, and ends with 0.
[[noreturn]] void stand_still(int pipe) {
    auto* const memory =
        static_cast<char*>(::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memory[0] = 1;
    const char answer = protect(memory) ? 'p' : 'n';
    if (::write(pipe, &answer, 1) != 1 || answer == 'n') ::_exit(2);
    memory[0] = 2;
    ::_exit(memory[0] == 2 ? 0 : 3);
}

TEST(Userfault, AProcessThatStandsStillIsFreed) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) stand_still(ends[1]);
    char answer = 0;
    ASSERT_EQ(::read(ends[0], &answer, 1), 1);
    if (answer == 'n') {
        ::waitpid(child, nullptr, 0);
        GTEST_SKIP() << "userfaultfd with write protection is not to be had here";
    }
    const auto process = process_id(child);
    ASSERT_TRUE(process);
    EXPECT_TRUE(free_from_userfaultfd(*process));
    if (!wait_until_gone(*process, Deadline::after(std::chrono::seconds(30)))) ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Userfault, AnyOtherProcessIsLeftAlone) { EXPECT_FALSE(free_from_userfaultfd(*process_id(::getpid()))); }

} // namespace
} // namespace domsnap::os
