#include "terminal.h"

#include "os/signals.h"

#include <domsnap/error.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

namespace domsnap::cli {

static constexpr char escape = 0x1d; // ^], virsh's

bool stdin_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

size_t terminal_width() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool confirmed_on_terminal(const std::string& question) {
    std::fflush(stdout);
    std::fwrite(question.data(), 1, question.size(), stderr);
    std::fflush(stderr);
    std::array<char, 256> line{};
    if (!std::fgets(line.data(), line.size(), stdin)) return false;
    const std::string_view answer(line.data(), std::strcspn(line.data(), " \r\n"));
    return answer == "y" || answer == "Y" || answer == "yes";
}

namespace {
class RawMode {
  public:
    RawMode() : is_terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!is_terminal_) return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    }
    ~RawMode() {
        if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;

  private:
    termios before_{};
    bool is_terminal_;
};

struct Device {
    explicit Device(int opened) : fd(opened) {}
    ~Device() { ::close(fd); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    int fd;
};
} // namespace

[[noreturn]] static void fail(const std::string& path) {
    throw Error(errno == EACCES || errno == EPERM ? ErrorCode::io : ErrorCode::not_found,
                fmt::format("cannot open the console '{}': {}", path, std::strerror(errno)));
}

static int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) errno = ENAMETOOLONG, fail(path);
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail(path);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    fail(path);
}

static int open_console(const std::string& path, bool is_socket) {
    if (is_socket) return connect_to(path);
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) fail(path);
    return fd;
}

/// False when the other side is gone.
static bool write_all(int fd, const char* data, size_t size) {
    while (size > 0) {
        const ssize_t wrote = ::write(fd, data, size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        data += wrote;
        size -= static_cast<size_t>(wrote);
    }
    return true;
}

enum class Flow { goes_on, at_end, stop };

/// Moves what is there. from_user: the escape character ends the console.
static Flow move_some(int from, int to, bool from_user) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return Flow::goes_on;
    if (got <= 0) return Flow::at_end;
    auto size = static_cast<size_t>(got);
    const void* typed = from_user ? std::memchr(buffer.data(), escape, size) : nullptr;
    if (typed) size = static_cast<size_t>(static_cast<const char*>(typed) - buffer.data());
    if (!write_all(to, buffer.data(), size)) return Flow::stop;
    return typed ? Flow::stop : Flow::goes_on;
}

void relay_console(const std::string& path, bool is_socket) {
    const auto& interrupted = os::watch_interrupts();
    const Device device(open_console(path, is_socket));
    const RawMode raw;
    std::array<pollfd, 2> ends{{{STDIN_FILENO, POLLIN, 0}, {device.fd, POLLIN, 0}}};
    while (!interrupted) {
        if (::poll(ends.data(), ends.size(), 500) < 0 && errno != EINTR) return;
        if (ends[1].revents && move_some(device.fd, STDOUT_FILENO, false) != Flow::goes_on) return;
        if (!ends[0].revents) continue;
        const Flow flow = move_some(STDIN_FILENO, device.fd, true);
        if (flow == Flow::stop) return;
        if (flow == Flow::at_end) ends[0].fd = -1; // no more to type; the guest may still speak
    }
}

} // namespace domsnap::cli
