#include "memory/page_process.h"

#include "base/deadline.h"
#include "base/text.h"
#include "memory/capture_report.h"
#include "memory/page_server.h"
#include "memory/page_status.h"
#include "os/file.h"
#include "os/signals.h"

#include <cstdio>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace domsnap::memory {

using State = PageStatus::State;

static constexpr int socket_descriptor = 3;
static constexpr uint64_t longest_small_block = 64 << 20;

static std::vector<std::string> arguments_of(const char* role, const PageProcess& spec) {
    return {os::find_own_program(capture_program_name),
            role,
            spec.image,
            spec.status,
            spec.watch,
            spec.take_over ? "take-over" : "begin",
            spec.instead.block,
            spec.instead.file};
}

static os::ProcessId start(os::Fd socket, std::vector<std::string> argv, const std::string& log) {
    os::Background child;
    child.argv = std::move(argv);
    child.log_path = log;
    child.passed = {{socket.get(), socket_descriptor}};
    child.in_child = os::ignore_interrupts;
    return os::start_background(child);
}

os::ProcessId start_page_server(os::Fd socket, const PageProcess& spec) {
    auto argv = arguments_of("--serve", spec);
    argv.push_back(std::to_string(spec.supervisor.pid));
    argv.push_back(std::to_string(spec.supervisor.start_ticks));
    return start(std::move(socket), std::move(argv), spec.log);
}

os::ProcessId start_page_supervisor(os::Fd socket, const PageProcess& spec, const std::string& guard,
                                    const std::string& listen, const std::string& uri_path) {
    auto argv = arguments_of("--supervise", spec);
    for (const auto& word : {spec.log, guard, listen, uri_path})
        argv.push_back(word);
    return start(std::move(socket), std::move(argv), spec.log);
}

static os::ProcessId own_process() { return os::process_id(::getpid()).value_or(os::ProcessId{}); }

namespace {
/// The conversation of one process, and what becomes of it.
class Serving {
  public:
    Serving(const char* const* argv, const std::function<void(const std::string&)>& pause_guest)
        : status_path_(argv[3]), take_over_(std::strcmp(argv[5], "take-over") == 0) {
        status_.image = argv[2];
        status_.server = own_process();
        instead_ = {argv[6], argv[7]};
        status_.supervisor = {static_cast<pid_t>(text::to_u64(argv[8]).value_or(0)),
                              text::to_u64(argv[9]).value_or(0)};
        hooks_.progress = [this](uint64_t done, uint64_t total) { tell(State::loading, done, total); };
        hooks_.pause_guest = [watch = std::string(argv[4]), pause_guest] { pause_guest(watch); };
    }

    int run() {
        try {
            const ImageReader image = ImageReader::open(status_.image);
            const os::Fd socket(socket_descriptor);
            const uint64_t total = image.data_pages() * page_size;
            PageServer server(image, socket, hooks_, instead());
            // Who is told of a server that takes over may count on it. (A QEMU 7.2 whose source goes away
            // once more before that is lost.)
            if (take_over_) server.take_over();
            tell(State::loading, 0, total);
            if (!take_over_) server.begin();
            server.serve();
            tell(State::complete, total, total);
            return 0;
        } catch (const Error& error) {
            return fail(error);
        }
    }

  private:
    /// What a server before has sent is there already, and its file may have been written to since.
    std::optional<BlockContent> instead() const {
        if (take_over_ || instead_.block.empty()) return std::nullopt;
        return BlockContent{instead_.block, os::read_file(instead_.file, longest_small_block)};
    }
    void tell(State state, uint64_t done, uint64_t total) {
        status_.state = state;
        status_.done = done;
        status_.total = total;
        write_page_status(status_path_, status_);
    }
    /// A QEMU that went away took its run-time folder with it or soon will: nothing is written there then.
    int fail(const Error& error) {
        std::fprintf(stderr, "domsnap-memory: %s\n", error.what());
        if (error.code() == ErrorCode::io) return 1;
        status_.error = error.what();
        tell(error.code() == ErrorCode::corrupt ? State::damaged : State::failed, status_.done,
             status_.total);
        return 1;
    }

    std::string status_path_;
    bool take_over_;
    BlockFile instead_;
    PageStatus status_;
    PageServerHooks hooks_;
};
} // namespace

int page_server_main(int argc, const char* const* argv,
                     const std::function<void(const std::string&)>& pause_guest) {
    if (argc != 10) {
        std::fputs(
            "usage: domsnap-memory --serve IMAGE STATUS MONITOR begin|take-over BLOCK FILE PID START (its "
            "supervisor starts it, with descriptor 3)\n",
            stderr);
        return 2;
    }
    os::ignore_interrupts();
    return Serving(argv, pause_guest).run();
}

} // namespace domsnap::memory
