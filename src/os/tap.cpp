#include "os/tap.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace domsnap::os {

namespace {

std::string remedy(const std::string& bridge, int error) {
    if (error == EPERM || error == EACCES)
        return "that takes CAP_NET_ADMIN: run domsnap, or domsnapd, as root";
    if (error == ENODEV) return "ip link show type bridge lists this host's bridges";
    if (error == ENOENT) return "the kernel has no /dev/net/tun: modprobe tun";
    if (error == EOPNOTSUPP)
        return fmt::format("'{}' may be no bridge: ip link show type bridge lists them",
                           text::printable(bridge));
    return {};
}

[[noreturn]] void refuse(const std::string& bridge, int error) {
    throw Error(ErrorCode::unsupported,
                fmt::format("the guest cannot be plugged into the bridge '{}': {}", text::printable(bridge),
                            std::strerror(error)),
                remedy(bridge, error));
}

/// What these calls take and give: a device's name, and something of it.
ifreq named(const std::string& name) {
    ifreq request{};
    std::copy_n(name.begin(), std::min(name.size(), sizeof request.ifr_name - 1), request.ifr_name);
    return request;
}

/// Of one device that is being made and plugged into a bridge.
class Wiring {
  public:
    explicit Wiring(const std::string& bridge)
        : bridge_(bridge), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (!socket_) refuse(bridge_, errno);
        if (bridge_.size() >= IFNAMSIZ || !has_network_device(bridge_)) refuse(bridge_, ENODEV);
    }
    void make(int tap) {
        ifreq device = named("domsnap%d"); // the kernel puts the first free number there
        device.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        change(tap, TUNSETIFF, device);
        name_ = device.ifr_name;
    }
    /// A bridge without an address of its own takes its ports' lowest, and would change it with every guest.
    void give_high_address() {
        ifreq device = named(name_);
        ask(SIOCGIFHWADDR, device);
        device.ifr_hwaddr.sa_data[0] = static_cast<char>(0xfe); // as libvirt does
        change(socket_.get(), SIOCSIFHWADDR, device);
    }
    void plug_in() {
        ifreq plug = named(bridge_);
        plug.ifr_ifindex = static_cast<int>(::if_nametoindex(name_.c_str()));
        change(socket_.get(), SIOCBRADDIF, plug);
    }
    void bring_up() {
        ifreq device = named(name_);
        ask(SIOCGIFFLAGS, device);
        device.ifr_flags = static_cast<short>(device.ifr_flags | IFF_UP);
        change(socket_.get(), SIOCSIFFLAGS, device);
    }

  private:
    void ask(unsigned long what, ifreq& of) const {
        if (::ioctl(socket_.get(), what, &of) != 0) refuse(bridge_, errno);
    }
    void change(int fd, unsigned long what, ifreq& of) const {
        const Effect changing{Effect::Kind::make_socket, "a network device on " + bridge_};
        if (effect(changing, [&] { return ::ioctl(fd, what, &of); }) != 0) refuse(bridge_, errno);
    }

    std::string bridge_, name_;
    Fd socket_;
};

} // namespace

bool has_network_device(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }

Fd open_tap(const std::string& bridge) {
    Wiring wiring(bridge);
    Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!tap) refuse(bridge, errno);
    wiring.make(tap.get());
    wiring.give_high_address();
    wiring.plug_in();
    wiring.bring_up();
    return tap;
}

} // namespace domsnap::os
