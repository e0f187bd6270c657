#include "watching.h"

#include "rpc/lifecycle.h"

#include <exception>
#include <fmt/format.h>
#include <utility>

namespace domsnap::server {

Watching::Watching(rpc::Service& service)
    : service_(service), watch_(service.host), thread_([this] { live(); }) {}

Watching::~Watching() {
    watch_.interrupt();
    thread_.join();
}

void Watching::live() {
    bool in_trouble = false;
    while (!watch_.interrupted()) {
        try {
            // An hour of nothing is nothing; after interrupt() there is nothing at once.
            const auto events = watch_.next(in_trouble ? std::chrono::hours(0) : std::chrono::hours(1));
            if (std::exchange(in_trouble, false)) service_.log(rpc::Level::notice, "events are told again");
            for (const auto& event : events)
                rpc::publish(service_.subscribers, event);
        } catch (const std::exception& error) {
            // Of descriptors or memory there may be more in a moment, and what happened meanwhile is told
            // then.
            if (!std::exchange(in_trouble, true))
                service_.log(rpc::Level::warning, fmt::format("events come late: {}", error.what()));
            std::this_thread::sleep_for(std::chrono::seconds(1));
        }
    }
}

} // namespace domsnap::server
