// Who wants to hear of what: registrations taken and given up. Of networks, pools, devices and secrets
// nothing ever happens here, but clients register for them as a matter of course.
#include "rpc/domains.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

void check_event(int32_t event) {
    if (event < 0 || event >= event_count)
        throw Refusal(Code::internal_error, Area::rpc,
                      fmt::format("internal error: unsupported event ID {}", event));
}

struct RegisterArguments {
    int32_t event = 0;
    std::optional<DomainRef> domain;
    DOMSNAP_WIRE(event, domain)
};

Number register_callback(Call& call, const RegisterArguments& a) {
    check_event(a.event);
    std::optional<Uuid> domain;
    if (a.domain) domain = a.domain->uuid;
    return {call.service().subscribers.add(call.client.outlet(), a.event, domain, Style::callback)};
}

Nothing deregister_callback(Call& call, const Number& number) {
    if (!call.service().subscribers.remove(call.client.outlet(), number.value))
        throw Refusal(Code::internal_error, Area::rpc,
                      fmt::format("internal error: domain event callback {} not registered", number.value));
    return {};
}

Nothing register_any(Call& call, const Number& event) {
    check_event(event.value);
    call.service().subscribers.add(call.client.outlet(), event.value, {}, Style::old_any);
    return {};
}
Nothing deregister_any(Call& call, const Number& event) {
    call.service().subscribers.remove_old(call.client.outlet(), event.value, Style::old_any);
    return {};
}

Number register_lifecycle(Call& call, const Nothing&) {
    call.service().subscribers.add(call.client.outlet(), 0, {}, Style::old_lifecycle);
    return {1};
}
Number deregister_lifecycle(Call& call, const Nothing&) {
    call.service().subscribers.remove_old(call.client.outlet(), 0, Style::old_lifecycle);
    return {0};
}

// Never sent; the registration must only be there to be given up again.
constexpr int32_t never = 1000;

Number never_happens(Call& call) {
    return {call.service().subscribers.add(call.client.outlet(), never, {}, Style::callback)};
}

struct NamedArguments {
    int32_t event = 0;
    std::optional<NamedRef> of;
    DOMSNAP_WIRE(event, of)
};
struct DeviceArguments {
    int32_t event = 0;
    OptionalText device;
    DOMSNAP_WIRE(event, device)
};
struct SecretRef {
    Uuid uuid{};
    int32_t usage_type = 0;
    std::string usage;
    DOMSNAP_WIRE(uuid, usage_type, usage)
};
struct SecretArguments {
    int32_t event = 0;
    std::optional<SecretRef> secret;
    DOMSNAP_WIRE(event, secret)
};
Number register_named(Call& call, const NamedArguments&) { return never_happens(call); }
Number register_device(Call& call, const DeviceArguments&) { return never_happens(call); }
Number register_secret(Call& call, const SecretArguments&) { return never_happens(call); }

} // namespace

Family event_family() {
    return {
        reads("connect_domain_event_callback_register_any", register_callback),
        reads("connect_domain_event_callback_deregister_any", deregister_callback),
        reads("connect_domain_event_register_any", register_any),
        reads("connect_domain_event_deregister_any", deregister_any),
        reads("connect_domain_event_register", register_lifecycle),
        reads("connect_domain_event_deregister", deregister_lifecycle),
        reads("connect_network_event_register_any", register_named),
        reads("connect_network_event_deregister_any", deregister_callback),
        reads("connect_storage_pool_event_register_any", register_named),
        reads("connect_storage_pool_event_deregister_any", deregister_callback),
        reads("connect_node_device_event_register_any", register_device),
        reads("connect_node_device_event_deregister_any", deregister_callback),
        reads("connect_secret_event_register_any", register_secret),
        reads("connect_secret_event_deregister_any", deregister_callback),
    };
}

} // namespace domsnap::rpc
