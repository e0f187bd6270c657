#include "os/lock.h"
#include "os/socket.h"
#include "scratch.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace domsnap;
using namespace std::chrono_literals;
using os::FileLock;
using os::LockMode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// A child process that holds the lock until it is told to end or killed.
class Holder {
  public:
    Holder(const std::string& path, LockMode mode) {
        auto [told_reader, told_writer] = os::make_pipe();
        auto [ready_reader, ready_writer] = os::make_pipe();
        pid_ = ::fork();
        if (pid_ == 0) {
            told_writer.reset();
            const FileLock lock = FileLock::try_take(path, mode, "holder 17");
            os::write_all(ready_writer.get(), lock ? "y" : "n", 1, "pipe");
            os::read_some(told_reader.get(), 1);
            _exit(0);
        }
        ready_writer.reset();
        had_ = os::read_some(ready_reader.get(), 1) == "y";
        tell_ = std::move(told_writer);
    }
    ~Holder() { end(0); }
    void end(int signal) {
        if (pid_ <= 0) return;
        if (signal) ::kill(pid_, signal);
        tell_.reset();
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    bool had() const { return had_; }

  private:
    pid_t pid_ = 0;
    bool had_ = false;
    os::Fd tell_;
};

} // namespace

TEST(Lock, two_opens_in_one_process_exclude_each_other) {
    const Scratch scratch;
    FileLock first = FileLock::try_take(scratch / "l", LockMode::exclusive, "first");
    EXPECT_TRUE(first);
    EXPECT_FALSE(FileLock::try_take(scratch / "l", LockMode::exclusive, "second"));
    EXPECT_FALSE(FileLock::try_take(scratch / "l", LockMode::shared, "second"));
    first = {};
    EXPECT_TRUE(FileLock::try_take(scratch / "l", LockMode::exclusive, "second"));
    EXPECT_EQ(os::file_info(scratch / "l")->mode, 0600U);
}

TEST(Lock, shared_ones_share) {
    const Scratch scratch;
    const FileLock a = FileLock::try_take(scratch / "l", LockMode::shared, "a");
    const FileLock b = FileLock::try_take(scratch / "l", LockMode::shared, "b");
    EXPECT_TRUE(a);
    EXPECT_TRUE(b);
    EXPECT_FALSE(FileLock::try_take(scratch / "l", LockMode::exclusive, "c"));
}

TEST(Lock, a_waiter_is_told_once_who_holds_it) {
    const Scratch scratch;
    const Holder holder(scratch / "l", LockMode::exclusive);
    ASSERT_TRUE(holder.had());
    std::vector<std::string> told;
    const Error error = error_of(ErrorCode::busy, [&] {
        FileLock::take(scratch / "l", LockMode::exclusive, "me", Deadline::after(30ms),
                       [&](const std::string& who) { told.push_back(who); });
    });
    EXPECT_THAT(told, ElementsAre("holder 17"));
    EXPECT_THAT(error.what(), HasSubstr("holder 17"));
}

TEST(Lock, of_a_killed_process_is_free) {
    const Scratch scratch;
    Holder holder(scratch / "l", LockMode::exclusive);
    ASSERT_TRUE(holder.had());
    EXPECT_FALSE(FileLock::try_take(scratch / "l", LockMode::shared, "me"));
    holder.end(SIGKILL);
    EXPECT_TRUE(FileLock::try_take(scratch / "l", LockMode::exclusive, "me"));
}

TEST(Lock, readers_do_not_leave_the_last_writers_name) {
    const Scratch scratch;
    static_cast<void>(FileLock::try_take(scratch / "l", LockMode::exclusive, "long gone"));
    const Holder reader(scratch / "l", LockMode::shared);
    const Error error = error_of(ErrorCode::busy, [&] {
        FileLock::take(scratch / "l", LockMode::exclusive, "me", Deadline::after(0ms));
    });
    EXPECT_THAT(error.what(), HasSubstr("another process"));
}

TEST(Lock, waits_until_it_is_free) {
    const Scratch scratch;
    Holder holder(scratch / "l", LockMode::exclusive);
    std::thread ender;
    const FileLock lock =
        FileLock::take(scratch / "l", LockMode::exclusive, "me", Deadline::after(20s),
                       [&](const std::string&) { ender = std::thread([&] { holder.end(0); }); });
    EXPECT_TRUE(lock);
    ASSERT_TRUE(ender.joinable()) << "on_wait was not called";
    ender.join();
}

TEST(Lock, of_a_removed_file_is_taken_anew_by_name) {
    const Scratch scratch;
    const FileLock old = FileLock::try_take(scratch / "l", LockMode::exclusive, "old");
    os::remove_file_durably(scratch / "l");
    EXPECT_TRUE(FileLock::try_take(scratch / "l", LockMode::exclusive, "new"));
    EXPECT_TRUE(os::exists(scratch / "l"));
}

TEST(Lock, a_hostile_holder_cannot_forge_lines) {
    const Scratch scratch;
    const FileLock lock = FileLock::try_take(scratch / "l", LockMode::exclusive, "a\nb");
    EXPECT_EQ(os::read_file(scratch / "l", 100), "a\\x0ab\n");
}

TEST(Lock, where_no_file_can_be_made) {
    const Scratch scratch;
    ASSERT_EQ(::symlink("elsewhere", (scratch / "link").c_str()), 0);
    error_of(ErrorCode::not_found, [&] { FileLock::try_take(scratch / "no/l", LockMode::exclusive, "me"); });
    error_of(ErrorCode::io, [&] { FileLock::try_take(scratch / "link", LockMode::exclusive, "me"); });
}

TEST(Lock, is_handed_over_with_its_descriptor) {
    const Scratch scratch;
    const std::string path = scratch / "lock";
    FileLock first = FileLock::try_take(path, LockMode::exclusive, "first");
    FileLock second = FileLock::handed_over(::dup(first.descriptor()), "second");
    first = FileLock();
    std::string holder;
    EXPECT_THROW(FileLock::take(path, LockMode::exclusive, "third", Deadline::after(0ms),
                                [&](const std::string& who) { holder = who; }),
                 Error);
    EXPECT_EQ(holder, "second");
    second = FileLock();
    EXPECT_TRUE(FileLock::try_take(path, LockMode::exclusive, "third"));
}
