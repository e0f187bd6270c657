#include "rpc/lifecycle.h"

#include "rpc/domains.h"

#include <optional>

namespace domsnap::rpc {

using Kind = DomainEvent::Kind;

static int32_t stop_detail(const std::string& reason) {
    if (reason == "destroyed") return 1;
    if (reason == "crashed") return 2;
    if (reason == "failed") return 5;
    return reason == "from snapshot" ? 6 : 0;
}

/// virDomainEventType and the detail that belongs to it; nothing for a reboot, which is an event of another
/// kind.
static std::optional<Lifecycle> numbers_of(const DomainEvent& event) {
    switch (event.kind) {
    case Kind::defined:
        return Lifecycle{0, 0};
    case Kind::redefined:
        return Lifecycle{0, 1};
    case Kind::renamed:
        return Lifecycle{0, 2};
    case Kind::undefined:
        return Lifecycle{1, 0};
    case Kind::started:
        return Lifecycle{2, event.detail == "from snapshot" ? 3 : 0};
    case Kind::suspended:
        return Lifecycle{3, event.detail == "I/O error" ? 2 : 0};
    case Kind::resumed:
        return Lifecycle{4, 0};
    case Kind::stopped:
        return Lifecycle{5, stop_detail(event.detail)};
    case Kind::shutting_down:
        return Lifecycle{6, event.detail == "guest" ? 1 : 2};
    case Kind::crashed:
        return Lifecycle{8, 0};
    case Kind::rebooted:
        break;
    }
    return std::nullopt;
}

void publish(Subscribers& subscribers, const DomainEvent& event) {
    const DomainRef domain{event.name, uuid_bytes(event.uuid), static_cast<int32_t>(event.id)};
    if (event.kind == Kind::renamed) // libvirt tells it as two: the old name goes, the new one comes
        subscribers.lifecycle({event.detail, domain.uuid, domain.id}, {1, 1});
    if (const auto numbers = numbers_of(event))
        subscribers.lifecycle(domain, *numbers);
    else
        subscribers.reboot(domain);
}

} // namespace domsnap::rpc
