#include "watching.h"

#include "rpc/lifecycle.h"

#include <exception>
#include <fmt/format.h>

namespace domsnap::server {

Watching::Watching(rpc::Service& service)
    : service_(service), watch_(service.host.folders()), thread_([this] { live(); }) {}

Watching::~Watching() {
    watch_.interrupt();
    thread_.join();
}

void Watching::live() {
    try {
        // An hour of nothing is nothing; after interrupt() there is nothing at once.
        while (!watch_.interrupted())
            for (const auto& event : watch_.next(std::chrono::hours(1)))
                rpc::publish(service_.subscribers, event);
    } catch (const std::exception& error) {
        service_.log(rpc::Level::error,
                     fmt::format("events are not told any more: {}; restart domsnapd", error.what()));
    }
}

} // namespace domsnap::server
