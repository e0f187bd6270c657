// domsnapd: libvirt's clients on one side, domsnap's engine on the other.
#include "access.h"
#include "log.h"
#include "options.h"
#include "server.h"
#include "watching.h"

#include "os/signals.h"

#include <cstdio>
#include <exception>
#include <fmt/format.h>

namespace domsnap::server {

namespace {

constexpr const char* socket_name = "virtdomsnapd-sock";

/// What systemd hands over, or sockets of our own.
void listen(Server& server, const Access& access, const std::string& folder) {
    auto inherited = os::inherited_sockets();
    for (auto& one : inherited)
        server.listen(std::move(one.socket), one.name.find("-ro") != std::string::npos);
    if (!inherited.empty()) return;
    const std::string path = folder + "/" + socket_name;
    server.listen(os::listen_unix(path, access.group() ? 0660 : 0600, access.group()), false);
    const auto lookers = access.read_only_group() ? access.read_only_group() : access.group();
    server.listen(os::listen_unix(path + "-ro", lookers ? 0660 : 0600, lookers), true);
}

void serve(const Options& options) {
    const Log log(options.verbose);
    const Access access(options.group, options.read_only_group);
    rpc::Service service{Host(options.folders)};
    service.host.keep_states();
    service.version =
        DOMSNAP_VERSION_MAJOR * 1'000'000 + DOMSNAP_VERSION_MINOR * 1'000 + DOMSNAP_VERSION_PATCH;
    service.log = [&](rpc::Level level, const std::string& line) { log(level, line); };
    const auto& stop = os::watch_interrupts();
    {
        Server server(service, access, options.patience, options.timeout);
        listen(server, access,
               options.socket_dir.empty() ? service.host.folders().runtime : options.socket_dir);
        const Watching watching(service);
        log(rpc::Level::notice,
            fmt::format("domsnapd {} serves {}", DOMSNAP_VERSION, service.host.folders().state));
        server.run(stop);
    }
    log(rpc::Level::notice, "domsnapd ends; guests run on");
}

void print_error(const std::string& message, const std::string& hint) {
    std::fputs(fmt::format("error: {}\n", message).c_str(), stderr);
    if (!hint.empty()) std::fputs(fmt::format("hint: {}\n", hint).c_str(), stderr);
}

int guarded(int argc, char** argv) {
    std::optional<Options> options;
    try {
        options = parse_options({argv + 1, argv + argc});
    } catch (const Error& error) {
        print_error(error.what(), error.hint());
        return 2;
    }
    if (!options) return 0;
    try {
        serve(*options);
        return 0;
    } catch (const Error& error) {
        print_error(error.what(), error.hint());
    } catch (const std::exception& error) {
        print_error(fmt::format("internal error: {}", error.what()), "");
    }
    return 1;
}

} // namespace
} // namespace domsnap::server

int main(int argc, char** argv) { return domsnap::server::guarded(argc, argv); }
