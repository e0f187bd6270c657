#include "monitor.h"

#include "base/text.h"
#include "os/file.h"
#include "os/socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fake {

namespace {

domsnap::os::Fd socket_of(Properties chardev) {
    if (chardev.contains("fd")) return domsnap::os::Fd(std::stoi(chardev["fd"]));
    auto socket = domsnap::os::bind_unix(chardev["path"]);
    ::listen(socket.get(), 1);
    return socket;
}

} // namespace

Monitor::Monitor(const Properties& chardev, const Json& version) : version_(version) {
    Properties properties = chardev;
    if (properties["backend"] == "pipe") {
        client_ = domsnap::os::open_read(properties["path"] + ".in");
        output_ = domsnap::os::open_read_write(properties["path"] + ".out");
        greet();
        return;
    }
    const bool listens = properties.contains("server") && properties["server"] != "off";
    (listens ? door_ : client_) = socket_of(properties);
    if (client_) greet();
}

Monitor::~Monitor() = default;

int Monitor::poll_fd() const { return client_ ? client_.get() : door_.get(); }

void Monitor::greet() {
    negotiated = false;
    framer_ = domsnap::qmp::LineFramer();
    send({{"QMP", {{"version", version_}, {"capabilities", {"oob"}}}}});
}

void Monitor::hang_up() {
    client_.reset();
    negotiated = false;
}

void Monitor::read_client() {
    std::array<char, 65'536> bytes;
    std::array<char, CMSG_SPACE(4 * sizeof(int))> control;
    iovec piece{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = output_ ? ::read(client_.get(), bytes.data(), bytes.size())
                                  : ::recvmsg(client_.get(), &message, MSG_CMSG_CLOEXEC);
    if (count <= 0) return hang_up();
    for (cmsghdr* part = output_ ? nullptr : CMSG_FIRSTHDR(&message); part;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        for (size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            received.emplace_back(fd);
        }
    }
    framer_.feed({bytes.data(), static_cast<size_t>(count)});
}

void Monitor::serve(const std::function<void(const std::string&)>& execute) {
    if (!client_) {
        // Not for sure: the client that the poll told of may be gone since, with an event that it did not
        // take.
        pollfd door{door_.get(), POLLIN, 0};
        if (::poll(&door, 1, 0) <= 0) return;
        client_.reset(::accept4(door_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client_) greet();
        return;
    }
    read_client();
    while (const auto line = framer_.next())
        execute(*line);
}

void Monitor::send(const Json& message) {
    if (!client_ && !output_) return;
    const std::string line = message.dump() + "\r\n";
    const char* at = line.data();
    for (size_t left = line.size(); left > 0;) {
        const ssize_t count =
            output_ ? ::write(output_.get(), at, left) : ::send(client_.get(), at, left, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return hang_up();
        at += count;
        left -= static_cast<size_t>(count);
    }
}

} // namespace fake
