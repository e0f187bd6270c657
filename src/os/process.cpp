#include "os/process.h"

#include "base/error.h"
#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/launch.h"
#include "os/pidfd.h"

#include <climits>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace domsnap::os {

namespace {
struct Stat {
    char state = 0;
    uint64_t threads = 0;
    uint64_t start_ticks = 0;
};
} // namespace

// The command's name, field 2, may hold blanks and ')': the fields are counted from the last ')'.
static std::optional<Stat> parse_stat(std::string_view line) {
    const auto name_end = line.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    const auto fields = text::split(text::trim(line.substr(name_end + 1)), ' ');
    if (fields.size() < 20 || fields[0].empty()) return std::nullopt;
    const auto threads = text::to_u64(fields[17]), start = text::to_u64(fields[19]);
    if (!threads || !start) return std::nullopt;
    return Stat{.state = fields[0][0], .threads = *threads, .start_ticks = *start};
}

static std::optional<Stat> stat_of(pid_t pid) {
    try {
        return parse_stat(read_file_start(fmt::format("/proc/{}/stat", pid), 4096));
    } catch (const Error&) {
        return std::nullopt; // ENOENT, or ESRCH if it ended between open and read
    }
}

uint64_t start_ticks_of(pid_t pid) {
    const auto stat = stat_of(pid);
    return stat ? stat->start_ticks : 0;
}

// The state is that of the first thread. While others are still ending (a killed QEMU has many), the process
// has its files open and its image locks held, and is not gone.
static bool has_ended(const Stat& stat) {
    return stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1);
}

std::optional<ProcessId> process_id(pid_t pid) {
    const auto stat = pid > 0 ? stat_of(pid) : std::nullopt;
    if (!stat || has_ended(*stat)) return std::nullopt;
    return ProcessId{.pid = pid, .start_ticks = stat->start_ticks};
}

bool is_alive(const ProcessId& id) { return process_id(id.pid) == id; }

// The descriptor first, the comparison after it: what is compared is then what the descriptor holds, or the
// descriptor is of a process that has ended, to which nothing can be sent.
Fd hold_process(const ProcessId& id) {
    if (id.pid <= 0) return {};
    Fd held(::pidfd_open(id.pid, 0));
    if (!held && errno != ESRCH && errno != EINVAL) fail("open", fmt::format("process {}", id.pid));
    if (!is_alive(id)) held.reset();
    return held;
}

bool signal_process(const ProcessId& id, int signal) {
    const Fd held = hold_process(id);
    if (!held) return false;
    const auto send = [&] { return ::pidfd_send_signal(held.get(), signal, nullptr, 0); };
    if (effect({Effect::Kind::signal, fmt::format("process {}", id.pid)}, send) == 0) return true;
    if (errno == ESRCH) return false;
    fail("signal", fmt::format("process {}", id.pid));
}

bool wait_until_gone(const ProcessId& id, Deadline deadline) {
    const Fd held = hold_process(id);
    while (held) {
        pollfd end{held.get(), POLLIN, 0};
        const int ready = ::poll(&end, 1, deadline.poll_ms());
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) fail("wait for", fmt::format("process {}", id.pid));
        if (deadline.passed()) return false;
    }
    return true;
}

std::string to_text(const ProcessId& id) { return fmt::format("{} {}\n", id.pid, id.start_ticks); }

std::optional<ProcessId> process_id_from_text(std::string_view text) {
    const auto words = text::split(text::trim(text), ' ');
    if (words.size() != 2) return std::nullopt;
    const auto pid = text::to_u64(words[0]), start = text::to_u64(words[1]);
    if (!pid || !start || *pid == 0 || *pid > INT_MAX) return std::nullopt;
    return ProcessId{.pid = static_cast<pid_t>(*pid), .start_ticks = *start};
}

static bool is_program(const std::string& path) {
    const auto info = file_info(path);
    return info && info->is_regular && ::access(path.c_str(), X_OK) == 0;
}

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return is_program(name) ? absolute_path(name) : "";
    const char* const path = std::getenv("PATH");
    for (const std::string& folder : text::split(path ? path : "/usr/local/bin:/usr/bin:/bin", ':')) {
        // Relative folders (the empty one too) would let the current folder choose what root executes.
        if (!text::starts_with_slash(folder) || name.empty()) continue;
        if (const std::string candidate = folder + "/" + name; is_program(candidate)) return candidate;
    }
    return {};
}

std::string own_executable() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size < 0) fail("read the link", "/proc/self/exe");
    return {path, static_cast<size_t>(size)};
}

// In the order of who shall win: what the user says, the same build, the installed one.
std::string find_own_program(const std::string& name) {
    std::vector<std::string> folders;
    if (const char* const named = std::getenv("DOMSNAP_LIBEXEC_DIR")) folders.push_back(named);
    const std::string own = text::folder_of(own_executable());
    for (const char* const beside : {"", "/../libexec/domsnap", "/../domsnap-memory"})
        folders.push_back(own + beside);
    for (const std::string& folder : folders)
        if (const std::string path = folder + "/" + name; exists(path)) return path;
    throw Error(ErrorCode::not_found,
                fmt::format("the program {} is in none of {}", name, text::join(folders, ", ")),
                "install domsnap completely, or name its folder in DOMSNAP_LIBEXEC_DIR");
}

} // namespace domsnap::os
