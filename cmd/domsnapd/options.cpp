#include "options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <domsnap/error.h>

namespace domsnap::server {

std::optional<Options> parse_options(std::vector<std::string> words) {
    Options options;
    unsigned timeout = 0;
    CLI::App app("domsnapd: domsnap for libvirt's clients", "domsnapd");
    app.set_version_flag("--version", "domsnapd " DOMSNAP_VERSION);
    app.add_option("--state-dir", options.folders.state, "domains and snapshots");
    app.add_option("--runtime-dir", options.folders.runtime, "sockets and pids of what runs");
    app.add_option("--socket-dir", options.socket_dir, "where to listen; else the run-time folder");
    app.add_option("--group", options.group, "whose members may do everything");
    app.add_option("--read-only-group", options.read_only_group, "whose members may look");
    auto* given = app.add_option("--timeout", timeout, "end after so many seconds without a client");
    app.add_option("--keepalive-interval", options.patience.interval,
                   "seconds of silence after which a client is asked whether it is there; 0: never")
        ->check(CLI::Range(0, 86400));
    app.add_option("--keepalive-count", options.patience.count, "unanswered questions before it is cut off")
        ->check(CLI::Range(0, 1000));
    app.add_flag("-v,--verbose", options.verbose, "log what only looks, too");
    std::reverse(words.begin(), words.end()); // CLI11 takes them from the back
    try {
        app.parse(std::move(words));
    } catch (const CLI::Success& success) {
        app.exit(success);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        throw Error(ErrorCode::invalid_request, error.what(), "domsnapd --help shows the options");
    }
    if (given->count()) options.timeout = timeout;
    return options;
}

} // namespace domsnap::server
