#include "machine/launch.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"
#include "os/socket.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>

namespace domsnap::machine {

namespace {

using namespace std::chrono_literals;

/// "2026-11-23T17:32:25.123456Z " of -msg timestamp=on.
std::string_view without_time(std::string_view line) {
    const auto blank = line.find(' ');
    const bool stamped =
        blank != std::string_view::npos && blank > 20 && line[4] == '-' && line[blank - 1] == 'Z';
    return stamped ? line.substr(blank + 1) : line;
}

/// "qemu-system-x86_64: ", with or without a folder before it.
std::string_view without_program(std::string_view line) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos || line.substr(0, colon).find(' ') != std::string_view::npos)
        return line;
    const bool is_program = line.substr(0, colon).find("qemu") != std::string_view::npos;
    return is_program ? line.substr(colon + 2) : line;
}

bool says_why(std::string_view line) {
    return !line.empty() && !line.starts_with("warning:") && !line.starts_with("char device redirected") &&
           line.find(": warning:") == std::string_view::npos;
}

std::string end_of(const std::string& path, uint64_t bytes) {
    const auto info = os::file_info(path);
    if (!info || info->size == 0) return {};
    const auto size = std::min(info->size, bytes);
    std::string text(size, '\0');
    os::read_at(os::open_read(path).get(), text.data(), size, info->size - size, path);
    return text;
}

Error ended(const std::string& who, const std::string& log_path) {
    const auto words = last_words(log_path);
    return {ErrorCode::refused_by_qemu, fmt::format("QEMU refused to run {}: {}", who,
                                                    words.empty() ? "it ended without a word" : words)};
}

} // namespace

std::string words_of_log(std::string_view log) {
    std::vector<std::string> said;
    for (const auto& raw : text::split(log, '\n')) {
        const auto line = without_program(without_time(text::trim(raw)));
        if (says_why(line)) said.push_back(text::printable(line));
    }
    constexpr size_t enough = 3;
    if (said.size() > enough) said.erase(said.begin(), said.end() - enough);
    return text::join(said, "; ");
}

std::string last_words(const std::string& log_path) {
    try {
        return words_of_log(end_of(log_path, 16 << 10));
    } catch (const Error&) {
        return {}; // the log is to explain another error, and must not hide it
    }
}

std::string scratch_log(const std::string& folder) {
    std::string name = folder + "/qemu-";
    for (const char byte : os::random_bytes(6))
        name += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return name + ".log";
}

void kill_child(const os::ProcessId& child) {
    os::signal_process(child, SIGKILL);
    os::wait_until_gone(child, Deadline::after(10s));
    os::poll_exit(child);
}

qmp::Client greet(const os::ProcessId& child, os::Fd socket, const std::string& log_path,
                  const std::string& who, Deadline deadline) {
    try {
        return qmp::Client::over(std::move(socket), deadline);
    } catch (const Error& error) {
        // The monitor closes a moment before the process is gone; a QEMU that lives is not one that refused.
        const bool gone = error.code() == ErrorCode::io && os::wait_until_gone(child, Deadline::after(2s));
        kill_child(child);
        if (gone) throw ended(who, log_path);
        throw Error(error.code(), fmt::format("QEMU was started for {}, but: {}", who, error.what()),
                    "its log is " + log_path);
    }
}

ShortLived::ShortLived(const std::vector<std::string>& argv,
                       const std::vector<std::pair<std::string, std::string>>& environment,
                       const std::string& log_path, const std::string& who, Deadline deadline)
    : log_path_(log_path) {
    auto [ours, its] = os::make_socket_pair();
    process_ = os::start_background({.argv = argv,
                                     .log_path = log_path,
                                     .passed = {{its.get(), 3}},
                                     .in_child = {},
                                     .environment = environment,
                                     .is_short_lived = true});
    its.reset(); // so that its end is seen when it ends
    try {
        monitor_ = greet(process_, std::move(ours), log_path, who, deadline);
    } catch (const Error&) {
        os::remove_file_durably(log_path);
        throw;
    }
}

ShortLived::~ShortLived() {
    try {
        // It holds nothing that would be lost: no image is open, and nothing of the guest has run.
        kill_child(process_);
        os::remove_file_durably(log_path_);
    } catch (const Error&) {
    }
}

} // namespace domsnap::machine
