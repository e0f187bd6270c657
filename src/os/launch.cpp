#include "os/launch.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace domsnap::os {

namespace {
struct Prepared {
    std::string program;
    std::vector<std::string> environment;
    std::vector<char*> argv, envp;
    std::vector<std::pair<Fd, int>> descriptors; ///< lifted above every number that the child will use
    Fd failure_reader, failure_writer;
};
} // namespace

std::optional<rlimit> descriptor_limit_of_children;

std::function<void()> ends_with_us() {
    return [us = ::getpid()] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != us) _exit(127); // we ended before the line above
    };
}

Fd open_nothing() { return open_read("/dev/null"); }

int exit_code_of(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static Error cannot_run(const std::string& program, int error) {
    const bool missing = error == ENOENT || error == ENOTDIR || error == EACCES || error == ENOEXEC;
    const std::string words = failure("run", program, error).what();
    if (!missing) return {ErrorCode::io, words};
    return {ErrorCode::not_found, words, "check that it is installed, on PATH and executable"};
}

static std::vector<std::string>
environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
        const auto is_it = [&](const auto& variable) { return variable.first == name; };
        if (std::none_of(added.begin(), added.end(), is_it)) all.emplace_back(*entry);
    }
    for (const auto& [name, value] : added)
        all.push_back(name + "=" + value);
    return all;
}

static std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (const std::string& s : strings)
        pointers.push_back(const_cast<char*>(s.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

static Fd lift(int fd, int floor) {
    Fd lifted(::fcntl(fd, F_DUPFD_CLOEXEC, floor));
    if (!lifted) fail("duplicate", fmt::format("descriptor {}", fd));
    return lifted;
}

static void prepare(const Launch& spec, Prepared& ready) {
    const bool is_path = spec.argv.at(0).find('/') != std::string::npos;
    ready.program = is_path ? spec.argv[0] : find_program(spec.argv[0]);
    if (ready.program.empty()) throw cannot_run(spec.argv[0], ENOENT);
    ready.environment = environment_with(spec.environment);
    ready.argv = pointers_to(spec.argv);
    ready.envp = pointers_to(ready.environment);
    int floor = 3;
    for (const auto& [ours, its] : spec.descriptors)
        floor = std::max(floor, its + 1);
    for (const auto& [ours, its] : spec.descriptors)
        ready.descriptors.emplace_back(lift(ours, floor), its);
    auto [reader, writer] = make_pipe(PIPE_BUF);
    ready.failure_reader = std::move(reader);
    ready.failure_writer = lift(writer.get(), floor);
}

// Those of libraries too, which may not know of O_CLOEXEC.
static void close_all_on_exec() {
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return; // Linux 5.11
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    for (int fd = 3; fd < static_cast<int>(std::min<rlim_t>(most.rlim_cur, 65536)); ++fd)
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void become(const Prepared& ready, const std::function<void()>& in_child) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    ::umask(077);
    if (in_child) in_child();
    close_all_on_exec();
    if (descriptor_limit_of_children) ::setrlimit(RLIMIT_NOFILE, &*descriptor_limit_of_children);
    for (const auto& [ours, its] : ready.descriptors)
        if (::dup2(ours.get(), its) < 0) return;
    ::execve(ready.program.c_str(), ready.argv.data(), ready.envp.data());
}

// The end of the stream means that exec closed the writing end.
static int failure_of(const Fd& reader) {
    int error = 0;
    const ssize_t got = uninterrupted([&] { return ::read(reader.get(), &error, sizeof error); });
    return got == sizeof error ? error : 0;
}

pid_t launch(const Launch& spec) {
    Prepared ready;
    prepare(spec, ready);
    const pid_t child = effect({spec.kind, ready.program}, [] { return ::fork(); });
    if (child < 0) fail("start a process for", ready.program);
    if (child == 0) {
        become(ready, spec.in_child);
        const int error = errno;
        _exit(::write(ready.failure_writer.get(), &error, sizeof error) > 0 ? 127 : 126);
    }
    ready.failure_writer.reset();
    if (const int error = failure_of(ready.failure_reader)) {
        uninterrupted([&] { return ::waitpid(child, nullptr, 0); });
        throw cannot_run(ready.program, error);
    }
    return child;
}

} // namespace domsnap::os
