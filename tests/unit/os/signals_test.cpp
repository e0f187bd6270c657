#include "os/signals.h"

#include "os/socket.h"
#include "scratch.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace domsnap;

namespace {

/// The wait status of a child that does this with interrupts watched.
int status_of(const std::function<void(const std::atomic<bool>&)>& action) {
    const pid_t child = ::fork();
    if (child == 0) {
        action(os::watch_interrupts());
        _exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

} // namespace

TEST(Signals, the_first_one_sets_a_flag) {
    for (const int signal : {SIGINT, SIGTERM}) {
        const int status = status_of([signal](const std::atomic<bool>& flag) {
            if (flag) _exit(1);
            ::raise(signal);
            _exit(flag ? 42 : 2);
        });
        ASSERT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 42);
    }
}

TEST(Signals, the_second_one_ends_the_process_as_a_signal_does) {
    const int status = status_of([](const std::atomic<bool>&) {
        ::raise(SIGINT);
        ::raise(SIGTERM);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Signals, a_closed_pipe_is_an_error_number) {
    const int status = status_of([](const std::atomic<bool>&) {
        auto [reader, writer] = os::make_pipe();
        reader.reset();
        try {
            os::write_all(writer.get(), "x", 1, "pipe");
        } catch (const Error&) {
            _exit(42);
        }
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
}
