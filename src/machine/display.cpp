// <graphics> -> -vnc. Without the document's word nobody but this host can connect.
#include "machine/build.h"

#include <fmt/format.h>

namespace domsnap::machine {

namespace {

struct Listen {
    std::string type, address, socket;
};

Listen listen_of(const model::Element& graphics) {
    Listen listen{"address", graphics.attribute("listen"), graphics.attribute("socket")};
    if (!listen.socket.empty()) listen.type = "socket";
    const auto* element = graphics.child("listen");
    if (!element) return listen;
    only_attributes(*element, {"type", "address", "socket"});
    listen.type = word_of(*element, "type", "address", {"address", "socket", "none"});
    if (const auto* address = element->find_attribute("address")) listen.address = *address;
    if (const auto* socket = element->find_attribute("socket")) listen.socket = *socket;
    return listen;
}

std::string tcp_address(const model::Element& graphics, const Listen& listen) {
    auto host = listen.address.empty() ? "127.0.0.1" : escape_commas(listen.address);
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    const auto port = graphics.attribute("port", "-1");
    // QEMU takes the first free one of a hundred; which it is, query-vnc says.
    if (port == "-1" || switch_of(graphics, "autoport").value_or(false)) return host + ":0,to=99";
    const auto number = number_of(graphics, "port").value_or(0);
    if (number < 5900 || number > 65535) refuse_attribute(graphics, "port", "VNC's ports are 5900 to 65535");
    return fmt::format("{}:{}", host, number - 5900);
}

/// -vnc takes no descriptor of a socket, and 107 bytes are what a socket's path may have: a longer one goes
/// by the folder's descriptor.
std::string own_socket(const Build& build) {
    auto path = build.facts.runtime_folder + "/vnc.sock";
    if (path.size() <= 107 || build.facts.runtime_folder_fd < 0) return path;
    return fmt::format("/proc/self/fd/{}/vnc.sock", build.facts.runtime_folder_fd);
}

std::string address_of(const Build& build, const model::Element& graphics) {
    const auto listen = listen_of(graphics);
    if (listen.type == "none") return "none";
    if (listen.type == "address") return tcp_address(graphics, listen);
    return "unix:" + escape_commas(listen.socket.empty() ? own_socket(build) : listen.socket);
}

void check(const model::Element& graphics) {
    if (graphics.attribute("type") != "vnc")
        refuse_attribute(graphics, "type", "the only display it runs is vnc", "use <graphics type='vnc'/>");
    if (graphics.find_attribute("passwd"))
        refuse(graphics, "passwd= would be seen in QEMU's command line",
               "use a socket, or an SSH tunnel to localhost");
    only_children(graphics, {"listen", "alias"});
    only_attributes(graphics, {"type", "port", "autoport", "listen", "socket", "keymap", "sharePolicy"});
}

} // namespace

void add_graphics(Build& build) {
    build.arguments.option("-display", "none");
    const auto all = build.devices("graphics");
    for (const auto* graphics : all)
        check(*graphics);
    if (all.size() > 1) refuse(*all[1], "one display is what it can run");
    if (all.empty()) return;
    const auto& graphics = *all.front();
    if (const auto keymap = graphics.attribute("keymap"); !keymap.empty())
        build.arguments.option("-k", keymap);
    auto options = address_of(build, graphics);
    const auto share = word_of(graphics, "sharePolicy", "", {"allow-exclusive", "force-shared", "ignore"});
    if (!share.empty() && options != "none") options += ",share=" + share;
    if (!build.facts.trial) build.arguments.option("-vnc", options);
}

} // namespace domsnap::machine
