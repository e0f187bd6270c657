#include "port.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace guest {
namespace {

constexpr size_t longest_line = 4096, longest_queue = 1 << 20;

[[noreturn]] void become_shell(const std::string& device) {
    setsid();
    const int fd = open(device.c_str(), O_RDWR);
    if (fd < 0) _exit(127);
    ioctl(fd, TIOCSCTTY, 1);
    for (int target = 0; target <= 2; target++)
        dup2(fd, target);
    execl("/bin/busybox", "sh", "-l", nullptr);
    _exit(127);
}

} // namespace

std::unique_ptr<Port> Port::open(const std::string& device, bool human) {
    const int fd = ::open(device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return nullptr;
    termios modes{};
    // The kernel makes ttyS0 to ttyS3 whether or not there is a port; one that is not there answers EIO.
    if (tcgetattr(fd, &modes) != 0) {
        close(fd);
        return nullptr;
    }
    std::unique_ptr<Port> port(new Port(fd, device, human));
    port->set_modes();
    return port;
}

Port::~Port() { close(fd_); }

void Port::set_modes() {
    termios modes{};
    if (tcgetattr(fd_, &modes) != 0) return;
    cfmakeraw(&modes);
    if (human_) {
        modes.c_iflag |= ICRNL;
        modes.c_lflag |= ICANON | ECHO | ECHOE | ECHOK;
    }
    modes.c_oflag |= OPOST | ONLCR;
    modes.c_cflag |= CLOCAL | CREAD;
    modes.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
    cfsetspeed(&modes, B115200);
    tcsetattr(fd_, TCSANOW, &modes);
}

std::vector<std::string> Port::lines() {
    std::vector<std::string> found;
    char bytes[512];
    for (ssize_t n; (n = read(fd_, bytes, sizeof bytes)) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            const char c = bytes[i];
            if (c != '\n' && c != '\r') {
                in_ += c;
                continue;
            }
            if (!in_.empty() && in_.size() <= longest_line) found.push_back(in_);
            in_.clear();
        }
        if (in_.size() > longest_line) in_.resize(longest_line + 1);
    }
    return found;
}

void Port::say(const std::string& line) {
    if (out_.size() + line.size() < longest_queue) out_ += line + "\n";
    flush();
}

void Port::mention(const std::string& line) {
    if (out_.empty() && !lent()) say(line);
}

void Port::flush() {
    while (!out_.empty() && !lent()) {
        const ssize_t n = write(fd_, out_.data(), out_.size());
        if (n <= 0) return;
        out_.erase(0, static_cast<size_t>(n));
    }
}

void Port::lend_to_shell() {
    termios modes{};
    tcgetattr(fd_, &modes);
    modes.c_lflag |= ICANON | ECHO | ISIG;
    tcsetattr(fd_, TCSANOW, &modes);
    shell_ = fork();
    if (shell_ == 0) become_shell(device_);
}

void Port::child_ended(int pid) {
    if (pid != shell_) return;
    shell_ = 0;
    set_modes();
    say("The shell has ended; ticks again.");
}

} // namespace guest
