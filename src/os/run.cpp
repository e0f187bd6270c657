// A child process from its start to its end, its output collected.
#include "base/text.h"
#include "os/failure.h"
#include "os/launch.h"
#include "os/pidfd.h"
#include "os/process.h"
#include "os/socket.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domsnap::os {

using namespace std::chrono_literals;

namespace {

/// A child that does not outlive this object.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid), pidfd_(::pidfd_open(pid, 0)) {
        if (pidfd_) return;
        const int error = errno;
        end();
        throw failure("watch", fmt::format("process {}", pid), error);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (!reaped_) end();
    }

    int pidfd() const { return pidfd_.get(); }
    void ask_to_stop() const { ::kill(pid_, SIGTERM); }
    int reap() {
        int status = 0;
        uninterrupted([&] { return ::waitpid(pid_, &status, 0); });
        reaped_ = true;
        return exit_code_of(status);
    }

  private:
    void end() {
        ::kill(pid_, SIGKILL); // not yet reaped, so the pid is still its own
        reap();
    }

    pid_t pid_;
    Fd pidfd_;
    bool reaped_ = false;
};

struct Output {
    Fd fd;
    std::string& kept;
    size_t most;
    std::function<void(std::string_view)> also;
};

} // namespace

/// False when there is nothing more for now.
static bool take_some(Output& output) {
    char buffer[65536];
    const ssize_t got = uninterrupted([&] { return ::read(output.fd.get(), buffer, sizeof buffer); });
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
        output.fd.reset();
        return false;
    }
    const std::string_view data(buffer, static_cast<size_t>(got));
    output.kept += data.substr(0, output.most - std::min(output.most, output.kept.size()));
    if (output.also) output.also(data);
    return true;
}

// What the child left in the pipes. Bounded, because a process that it started may hold them open and write
// for ever.
static void drain(Output& output) {
    for (int reads = 0; reads < 64 && output.fd && take_some(output); ++reads) {
    }
}

// In a process group of its own, so that the terminal's Ctrl-C reaches us alone and the child is stopped in
// order; and with our end as its end, so that no image is written to any more when recovery looks at it.
static std::function<void()> tie_to_us() {
    return [end_with_us = ends_with_us()] {
        ::setpgid(0, 0);
        end_with_us();
    };
}

static std::pair<Fd, Fd> output_pipe() {
    auto ends = make_pipe();
    ::fcntl(ends.first.get(), F_SETFL, O_NONBLOCK);
    return ends;
}

static void watch(Child& child, Output& out, Output& err, const std::string& program,
                  const RunOptions& options) {
    bool stopping = false;
    Deadline deadline = options.deadline;
    for (;;) {
        pollfd events[] = {{child.pidfd(), POLLIN, 0}, {out.fd.get(), POLLIN, 0}, {err.fd.get(), POLLIN, 0}};
        const Deadline look = options.should_stop ? deadline.or_sooner(100ms) : deadline;
        if (::poll(events, 3, look.poll_ms()) < 0 && errno != EINTR) fail("wait for", program);
        drain(out);
        drain(err);
        if (events[0].revents != 0) break;
        if (!stopping && options.should_stop && options.should_stop()) {
            child.ask_to_stop();
            stopping = true;
            deadline = Deadline::after(10s); // then it is killed
        }
        if (!deadline.passed()) continue;
        if (stopping) break;
        throw Error(ErrorCode::timed_out,
                    fmt::format("'{}' took too long and was ended", text::printable(program)));
    }
    if (stopping)
        throw Error(ErrorCode::cancelled, fmt::format("'{}' was stopped as asked", text::printable(program)));
}

RunResult run(const std::vector<std::string>& argv, const RunOptions& options) {
    RunResult result;
    auto [out_reader, out_writer] = output_pipe();
    auto [err_reader, err_writer] = output_pipe();
    const Fd nothing = open_nothing();
    Child child(launch({.argv = argv,
                        .environment = {},
                        .descriptors = {{nothing.get(), 0}, {out_writer.get(), 1}, {err_writer.get(), 2}},
                        .in_child = tie_to_us(),
                        .kind = Effect::Kind::run}));
    out_writer.reset();
    err_writer.reset();
    Output out{std::move(out_reader), result.out, options.max_output, options.on_output};
    Output err{std::move(err_reader), result.err, options.max_output, {}};
    watch(child, out, err, argv[0], options);
    drain(out);
    drain(err);
    result.exit_code = child.reap();
    return result;
}

} // namespace domsnap::os
