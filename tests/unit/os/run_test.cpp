#include "os/process.h"
#include "scratch.h"

#include <csignal>
#include <gmock/gmock.h>
#include <unistd.h>

using namespace domsnap;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

os::RunResult shell(const std::string& script, const os::RunOptions& options = {}) {
    return os::run({"sh", "-c", script}, options);
}

} // namespace

TEST(Run, collects_what_a_program_says_and_how_it_ended) {
    const auto result = shell("echo out; echo err >&2; exit 3");
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
    EXPECT_EQ(shell("kill -TERM $$").exit_code, 128 + SIGTERM);
    EXPECT_EQ(shell("exit 127").exit_code, 127); // an exit code like any other
}

TEST(Run, arguments_pass_as_they_are) {
    EXPECT_EQ(os::run({"printf", "%s|", "a b", "$HOME", "", "*", "'\""}).out, "a b|$HOME||*|'\"|");
}

TEST(Run, a_program_that_cannot_be_executed_is_an_error_not_an_exit_code) {
    const Scratch scratch;
    os::write_file(scratch / "text", "no program");
    const Error missing = error_of(ErrorCode::not_found, [] { os::run({"no-such-program-anywhere"}); });
    EXPECT_THAT(missing.what(), HasSubstr("no-such-program-anywhere"));
    error_of(ErrorCode::not_found, [&] { os::run({scratch / "no"}); });
    const Error text = error_of(ErrorCode::not_found, [&] { os::run({scratch / "text"}); });
    EXPECT_THAT(text.what(), HasSubstr("Permission denied"));
}

TEST(Run, much_output_on_both_streams_does_not_lock_up) {
    const auto result =
        shell("head -c 3000000 /dev/zero >&2; head -c 2000000 /dev/zero; head -c 1000000 /dev/zero >&2");
    EXPECT_EQ(result.out.size(), 2'000'000U);
    EXPECT_EQ(result.err.size(), 4'000'000U);
}

TEST(Run, output_is_cut_at_the_bound_and_the_program_still_ends) {
    os::RunOptions options;
    options.max_output = 1000;
    size_t streamed = 0;
    options.on_output = [&](std::string_view data) { streamed += data.size(); };
    const auto result = shell("head -c 500000 /dev/zero; head -c 2000 /dev/zero >&2; exit 5", options);
    EXPECT_EQ(result.out.size(), 1000U);
    EXPECT_EQ(result.err.size(), 1000U);
    EXPECT_EQ(streamed, 500'000U);
    EXPECT_EQ(result.exit_code, 5);
}

TEST(Run, stdin_is_empty) { EXPECT_EQ(shell("cat; echo end").out, "end\n"); }

TEST(Run, a_program_that_takes_too_long_is_killed) {
    const Scratch scratch;
    os::RunOptions options;
    options.deadline = Deadline::after(300ms);
    const auto script = "echo $$ > '" + (scratch / "pid") + "'; trap '' TERM; exec sleep 1000";
    EXPECT_THAT(error_of(ErrorCode::timed_out, [&] { shell(script, options); }).what(), HasSubstr("sh"));
    if (!os::exists(scratch / "pid")) GTEST_SKIP() << "the machine was too busy to start a shell in time";
    EXPECT_EQ(os::process_id(std::stoi(os::read_file(scratch / "pid", 100))), std::nullopt);
}

TEST(Run, a_program_is_asked_to_stop_in_order) {
    const Scratch scratch;
    os::RunOptions options;
    options.should_stop = [&] { return os::exists(scratch / "ready"); };
    const auto script =
        "trap 'echo yes > \"$0/stopped\"; exit 0' TERM; : > \"$0/ready\"; while :; do sleep 0.05; done";
    error_of(ErrorCode::cancelled, [&] { os::run({"sh", "-c", script, scratch.path()}, options); });
    EXPECT_EQ(os::read_file(scratch / "stopped", 100), "yes\n");
}

TEST(Run, does_not_wait_for_what_the_program_left_behind) {
    const auto result = shell("sleep 1000 & echo $!"); // which holds the pipes open
    EXPECT_EQ(result.exit_code, 0);
    const auto left = os::process_id(std::stoi(result.out));
    ASSERT_TRUE(left);
    EXPECT_TRUE(os::signal_process(*left, SIGKILL));
}

TEST(Run, a_throwing_reader_ends_the_program) {
    pid_t pid = 0;
    os::RunOptions options;
    options.on_output = [&](std::string_view data) {
        pid = std::stoi(std::string(data));
        throw std::runtime_error("enough");
    };
    EXPECT_THROW(shell("echo $$; exec sleep 1000", options), std::runtime_error);
    EXPECT_EQ(os::process_id(pid), std::nullopt);
}

TEST(Run, a_child_gets_no_descriptor_of_ours_and_no_ignored_sigpipe) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0); // not close-on-exec, as a careless library would
    const auto old = std::signal(SIGPIPE, SIG_IGN);
    const auto listed = os::run({"ls", "/proc/self/fd"});
    const auto ignored = os::run({"grep", "SigIgn", "/proc/self/status"});
    std::signal(SIGPIPE, old);
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_EQ(listed.out, "0\n1\n2\n3\n"); // 3 is ls's own view of the folder
    const auto mask = std::stoull(ignored.out.substr(ignored.out.find(':') + 1), nullptr, 16);
    EXPECT_EQ(mask & (1ULL << (SIGPIPE - 1)), 0U);
}

TEST(Run, works_where_our_own_standard_descriptors_are_closed) {
    const os::Fd saved_in(::dup(0)), saved_out(::dup(1)), saved_err(::dup(2));
    for (const int fd : {0, 1, 2})
        ::close(fd);
    os::RunResult result;
    try {
        result = shell("echo out; echo err >&2; cat");
    } catch (const Error&) {
        result.exit_code = -2;
    }
    ::dup2(saved_in.get(), 0);
    ::dup2(saved_out.get(), 1);
    ::dup2(saved_err.get(), 2);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
}
