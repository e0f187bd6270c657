#include "os/duplex.h"

#include "os/failure.h"
#include "os/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace domsnap::os {

Duplex::Duplex(Fd fd) : fd_(std::move(fd)) {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
    auto [read_end, write_end] = make_pipe(4096);
    wake_read_ = std::move(read_end);
    wake_write_ = std::move(write_end);
}

Duplex Duplex::open_device(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) fail("open the terminal", path);
    return Duplex(std::move(fd));
}

/// False when interrupted. The byte in the pipe is never taken out: once is for ever.
bool Duplex::wait(short wanted) const {
    pollfd both[2] = {{fd_.get(), wanted, 0}, {wake_read_.get(), POLLIN, 0}};
    if (uninterrupted([&] { return ::poll(both, 2, -1); }) < 0) fail("wait for", "a terminal");
    return both[1].revents == 0;
}

std::string Duplex::read(size_t max) const {
    std::string data(max, '\0');
    while (wait(POLLIN)) {
        const ssize_t got = ::read(fd_.get(), data.data(), max);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) break; // EIO is a terminal whose other side is closed
        data.resize(static_cast<size_t>(got));
        return data;
    }
    return {};
}

bool Duplex::write(std::string_view bytes) const {
    while (!bytes.empty()) {
        if (!wait(POLLOUT)) return false;
        const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
        if (put < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (put < 0) return false;
        bytes.remove_prefix(static_cast<size_t>(put));
    }
    return true;
}

void Duplex::interrupt() const { (void)!::write(wake_write_.get(), "x", 1); }

} // namespace domsnap::os
