#include "os/process.h"
#include "os/socket.h"
#include "scratch.h"

#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace domsnap;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

int exit_of(const os::ProcessId& child) {
    os::wait_until_gone(child, Deadline::after(20s));
    return os::poll_exit(child).value_or(-1);
}

class BackgroundTest : public ::testing::Test {
  protected:
    os::Background sh(const std::string& script) const {
        return {
            .argv = {"sh", "-c", script}, .log_path = log, .passed = {}, .in_child = {}, .environment = {}};
    }
    std::string logged(const os::Background& spec) const {
        EXPECT_EQ(exit_of(os::start_background(spec)), 0);
        return os::read_file(log, 1 << 20);
    }
    Scratch scratch;
    std::string log = scratch / "log";
};

/// A descriptor from which the content can be read, under this very number.
os::Fd content_at(int number, const std::string& content) {
    auto [reader, writer] = os::make_pipe();
    os::write_all(writer.get(), content.data(), content.size(), "pipe");
    if (::dup3(reader.get(), number, O_CLOEXEC) != number) throw std::runtime_error("dup3 failed");
    return os::Fd(number);
}

} // namespace

TEST_F(BackgroundTest, has_a_session_of_its_own_and_a_private_log) {
    const auto text = logged(sh("cut -d' ' -f1,6 /proc/$$/stat; echo err >&2; cat"));
    const auto blank = text.find(' '), end = text.find('\n');
    EXPECT_EQ(text.substr(0, blank), text.substr(blank + 1, end - blank - 1)); // pid and session
    EXPECT_EQ(text.substr(end + 1), "err\n");
    EXPECT_EQ(os::file_info(log)->mode, 0600U);
}

TEST_F(BackgroundTest, the_log_is_appended_to) {
    os::write_file(log, "before\n");
    EXPECT_EQ(logged(sh("echo after")), "before\nafter\n");
}

TEST_F(BackgroundTest, poll_exit_tells_once) {
    auto [reader, writer] = os::make_pipe();
    os::Background spec = sh("cat <&5; exit 7");
    spec.passed = {{reader.get(), 5}};
    const auto child = os::start_background(spec);
    reader.reset();
    EXPECT_EQ(os::poll_exit(child), std::nullopt);
    EXPECT_TRUE(os::is_alive(child));
    writer.reset();
    EXPECT_EQ(exit_of(child), 7);
    EXPECT_EQ(os::poll_exit(child), std::nullopt);
    EXPECT_EQ(os::poll_exit({.pid = ::getpid(), .start_ticks = 1}), std::nullopt);
}

TEST_F(BackgroundTest, poll_exit_leaves_another_child_alone) {
    const auto child = os::start_background(sh("exit 4"));
    os::wait_until_gone(child, Deadline::after(20s));
    EXPECT_EQ(os::poll_exit({.pid = child.pid, .start_ticks = child.start_ticks + 1}), std::nullopt);
    EXPECT_EQ(os::poll_exit(child), 4);
}

TEST_F(BackgroundTest, a_short_lived_one_ends_when_its_starter_is_killed) {
    auto [reader, writer] = os::make_pipe();
    const pid_t starter = ::fork();
    if (starter == 0) {
        auto spec = sh("sleep 1000");
        spec.is_short_lived = true;
        const auto words = os::to_text(os::start_background(spec));
        os::write_all(writer.get(), words.data(), words.size(), "pipe");
        ::pause();
        ::_exit(0);
    }
    const auto child = os::process_id_from_text(os::read_some(reader.get(), 100));
    ::kill(starter, SIGKILL);
    ::waitpid(starter, nullptr, 0);
    ASSERT_TRUE(child);
    EXPECT_TRUE(os::wait_until_gone(*child, Deadline::after(20s)));
}

TEST_F(BackgroundTest, swapped_descriptors_arrive_swapped) {
    const auto a = content_at(30, "a"), b = content_at(31, "b"), c = content_at(32, "c");
    os::Background spec = sh("cat /proc/self/fd/31 /proc/self/fd/32 /proc/self/fd/30");
    spec.passed = {{30, 31}, {31, 32}, {32, 30}};
    EXPECT_EQ(logged(spec), "abc");
}

TEST_F(BackgroundTest, a_descriptor_may_keep_its_number) {
    const auto a = content_at(30, "a");
    os::Background spec = sh("cat /proc/self/fd/30");
    spec.passed = {{30, 30}};
    EXPECT_EQ(logged(spec), "a");
}

TEST_F(BackgroundTest, targets_may_hit_descriptors_that_are_in_use_here) {
    // Whatever is open at 3..40 in this process: its log, pipes and what else launch uses must not be hit.
    const auto a = content_at(60, "x");
    os::Background spec = sh("cat /proc/self/fd/17; ls /proc/self/fd | wc -l");
    for (int its = 3; its < 40; ++its)
        spec.passed.emplace_back(60, its);
    EXPECT_EQ(logged(spec), "x" + std::to_string(3 + 37 + 1) + "\n");
}

TEST_F(BackgroundTest, nothing_else_is_inherited) {
    int leaky[2];
    ASSERT_EQ(::pipe(leaky), 0);
    const std::string text = logged(
        {.argv = {"ls", "/proc/self/fd"}, .log_path = log, .passed = {}, .in_child = {}, .environment = {}});
    ::close(leaky[0]);
    ::close(leaky[1]);
    EXPECT_EQ(text, "0\n1\n2\n3\n"); // 3 is ls's own view of the folder
}

TEST_F(BackgroundTest, the_environment_is_added_to) {
    ::setenv("DOMSNAP_TEST_KEPT", "kept", 1);
    ::setenv("DOMSNAP_TEST_CHANGED", "old", 1);
    os::Background spec = sh("echo $DOMSNAP_TEST_KEPT $DOMSNAP_TEST_CHANGED $DOMSNAP_TEST_NEW");
    spec.environment = {{"DOMSNAP_TEST_CHANGED", "changed"}, {"DOMSNAP_TEST_NEW", "a b"}};
    EXPECT_EQ(logged(spec), "kept changed a b\n");
}

TEST_F(BackgroundTest, what_it_makes_is_private) {
    const mode_t before = ::umask(0);
    logged(sh(": > '" + (scratch / "made") + "'"));
    ::umask(before);
    EXPECT_EQ(os::file_info(scratch / "made")->mode, 0600U);
}

TEST_F(BackgroundTest, a_failed_exec_reaches_the_caller) {
    os::Background spec{
        .argv = {scratch / "no"}, .log_path = log, .passed = {}, .in_child = {}, .environment = {}};
    EXPECT_THAT(error_of(ErrorCode::not_found, [&] { os::start_background(spec); }).what(),
                HasSubstr(scratch / "no"));
    os::write_file(scratch / "no-program", "\x7f"
                                           "ELF");
    ASSERT_EQ(::chmod((scratch / "no-program").c_str(), 0700), 0);
    spec.argv = {scratch / "no-program"};
    EXPECT_ANY_THROW(os::start_background(spec));
    spec.argv = {"true", std::string(1 << 20, 'x')};
    EXPECT_THAT(error_of(ErrorCode::io, [&] { os::start_background(spec); }).what(), HasSubstr("too long"));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1); // no child was left behind
}

TEST_F(BackgroundTest, a_log_that_cannot_be_opened_or_a_wrong_descriptor) {
    os::Background spec = sh(":");
    spec.log_path = scratch / "no/log";
    error_of(ErrorCode::not_found, [&] { os::start_background(spec); });
    spec.log_path = log;
    spec.passed = {{999, 5}};
    error_of(ErrorCode::io, [&] { os::start_background(spec); });
}

TEST_F(BackgroundTest, outlives_the_process_that_started_it) {
    auto [reader, writer] = os::make_pipe();
    const pid_t starter = ::fork();
    if (starter == 0) {
        os::Background spec = sh("sleep 1000");
        const auto text = os::to_text(os::start_background(spec));
        os::write_all(writer.get(), text.data(), text.size(), "pipe");
        _exit(0);
    }
    ::waitpid(starter, nullptr, 0);
    const auto id = os::process_id_from_text(os::read_some(reader.get(), 100));
    ASSERT_TRUE(id);
    EXPECT_TRUE(os::is_alive(*id));
    EXPECT_TRUE(os::signal_process(*id, SIGKILL));
    EXPECT_TRUE(os::wait_until_gone(*id, Deadline::after(20s)));
}

TEST_F(BackgroundTest, a_socket_listened_to_in_the_child_names_the_child) {
    const os::Fd socket = os::bind_unix(scratch / "s");
    os::Background spec = sh("exec sleep 1000");
    spec.passed = {{socket.get(), 3}};
    spec.in_child = [fd = socket.get()] { ::listen(fd, 1); };
    const auto child = os::start_background(spec);
    EXPECT_EQ(os::peer_pid(os::connect_unix(scratch / "s")), child.pid);
    EXPECT_TRUE(os::signal_process(child, SIGKILL));
    exit_of(child);
}
