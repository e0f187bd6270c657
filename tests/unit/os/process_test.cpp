#include "os/process.h"
#include "scratch.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace domsnap;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

/// A child that waits for ever, killed at the end of the test.
class Sleeper {
  public:
    Sleeper() : pid_(::fork()) {
        if (pid_ == 0)
            for (;;)
                ::pause();
    }
    ~Sleeper() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    os::ProcessId id() const { return os::process_id(pid_).value(); }
    /// Ended, but not waited for: a zombie.
    void make_zombie() const {
        ::kill(pid_, SIGKILL);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_;
};

} // namespace

TEST(Process, its_identity_survives_the_text_form) {
    const auto self = os::process_id(::getpid());
    ASSERT_TRUE(self);
    EXPECT_EQ(self->pid, ::getpid());
    EXPECT_GT(self->start_ticks, 0U);
    EXPECT_EQ(os::process_id_from_text(os::to_text(*self)), self);
    EXPECT_TRUE(os::is_alive(*self));
}

TEST(Process, torn_or_forged_texts_are_none) {
    for (const char* bad :
         {"", "12", "12 ", " 12 34 56", "0 5", "-1 5", "12 x", "4294967297 5", "12 34 56", "12\n34"})
        EXPECT_EQ(os::process_id_from_text(bad), std::nullopt) << bad;
    EXPECT_EQ(os::process_id_from_text("12 34"), (os::ProcessId{.pid = 12, .start_ticks = 34}));
}

TEST(Process, there_is_none_with_an_impossible_pid) {
    for (const pid_t pid : {0, -1, INT32_MAX})
        EXPECT_EQ(os::process_id(pid), std::nullopt) << pid;
}

TEST(Process, a_zombie_is_gone) {
    const Sleeper sleeper;
    const auto id = sleeper.id();
    sleeper.make_zombie();
    EXPECT_EQ(os::process_id(sleeper.pid()), std::nullopt);
    EXPECT_FALSE(os::is_alive(id));
    EXPECT_FALSE(os::signal_process(id, SIGTERM));
    EXPECT_TRUE(os::wait_until_gone(id, Deadline::after(0ms)));
}

TEST(Process, whose_first_thread_has_ended_is_alive) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        std::thread([] {
            for (;;)
                ::pause();
        }).detach();
        ::syscall(SYS_exit, 0); // of this thread alone
    }
    const auto is_zombie = [&] {
        return os::read_file("/proc/" + std::to_string(pid) + "/stat", 4096).find(") Z ") !=
               std::string::npos;
    };
    const auto deadline = Deadline::after(20s);
    while (!is_zombie() && !deadline.passed())
        std::this_thread::yield();
    EXPECT_TRUE(is_zombie());
    const auto id = os::process_id(pid);
    ASSERT_TRUE(id);
    EXPECT_FALSE(os::wait_until_gone(*id, Deadline::after(0ms)));
    EXPECT_TRUE(os::signal_process(*id, SIGKILL));
    EXPECT_TRUE(os::wait_until_gone(*id, Deadline::after(20s)));
    EXPECT_EQ(os::poll_exit(*id), 128 + SIGKILL);
}

TEST(Process, a_stranger_with_the_pid_is_never_signalled) {
    const Sleeper stranger;
    os::ProcessId stale = stranger.id();
    stale.start_ticks -= 1;
    EXPECT_FALSE(os::is_alive(stale));
    EXPECT_FALSE(os::signal_process(stale, SIGKILL));
    EXPECT_TRUE(os::wait_until_gone(stale, Deadline::after(0ms)));
    EXPECT_TRUE(os::is_alive(stranger.id()));
    EXPECT_EQ(::waitpid(stranger.pid(), nullptr, WNOHANG), 0); // it runs
    EXPECT_FALSE(
        os::signal_process({.pid = 0, .start_ticks = 0}, SIGKILL)); // 0 would be our own process group
    EXPECT_FALSE(os::signal_process({.pid = -1, .start_ticks = 0}, SIGKILL));
}

TEST(Process, signalled_and_waited_for) {
    const Sleeper sleeper;
    EXPECT_FALSE(os::wait_until_gone(sleeper.id(), Deadline::after(1ms)));
    const auto id = sleeper.id();
    EXPECT_TRUE(os::signal_process(id, SIGTERM));
    EXPECT_TRUE(os::wait_until_gone(id, Deadline::after(20s)));
}

TEST(Process, the_name_of_the_program_may_hold_anything) {
    const Scratch scratch;
    const std::string odd = scratch / "a) R 1 (b";
    os::write_file(odd, os::read_file(os::find_program("sleep"), 1 << 24));
    ASSERT_EQ(::chmod(odd.c_str(), 0700), 0);
    const auto id = os::start_background({{odd, "100"}, {}, {}, {}, {}});
    EXPECT_EQ(os::process_id(id.pid), id);
    EXPECT_TRUE(os::signal_process(id, SIGKILL));
    EXPECT_TRUE(os::wait_until_gone(id, Deadline::after(20s)));
    EXPECT_EQ(os::poll_exit(id), 128 + SIGKILL);
}

TEST(Program, is_found_on_path_and_nowhere_else) {
    EXPECT_EQ(os::find_program("sh").front(), '/');
    EXPECT_EQ(os::find_program("no-such-program-anywhere"), "");
    EXPECT_EQ(os::find_program(""), "");
    EXPECT_EQ(os::find_program("/etc/passwd"), ""); // not executable
    EXPECT_EQ(os::find_program("/etc"), "");
    EXPECT_EQ(os::find_program(os::own_executable()), os::own_executable());
    EXPECT_THAT(os::own_executable(), HasSubstr("test_os"));
}
