// The connection itself, and what it is a connection to.
#include "rpc/domains.h"
#include "rpc/facts.h"
#include "rpc/names.h"

namespace domsnap::rpc {

namespace {

struct OpenArguments {
    OptionalText name;
    uint32_t flags = 0;
    DOMSNAP_WIRE(name, flags)
};
struct AuthTypes {
    List<int32_t, 20> types;
    DOMSNAP_WIRE(types)
};

/// virDrvFeature, those that are had.
enum Feature { keepalive = 10, event_callback = 14, close_callback = 15 };

AuthTypes auth_list(Call&, const Nothing&) { return {{0}}; } // none: the socket told who it is

Nothing open(Call& call, const OpenArguments& arguments) {
    constexpr uint32_t read_only = 1, no_aliases = 2;
    check_flags(arguments.flags, read_only | no_aliases, call.procedure);
    call.client.open(arguments.name.value_or(""), arguments.flags & read_only);
    return {};
}

Nothing close(Call& call, const Nothing&) {
    call.client.close();
    return {};
}

Number supports_feature(Call& call, const Number& feature) {
    if (feature.value == keepalive) call.client.use_keepalive();
    return {feature.value == keepalive || feature.value == event_callback || feature.value == close_callback};
}

Text get_type(Call&, const Nothing&) { return {"QEMU"}; }
BigNumber get_lib_version(Call& call, const Nothing&) { return {call.service().version}; }
BigNumber get_version(Call& call, const Nothing&) { return {emulator_facts(call.host()).version_number}; }
Text get_hostname(Call& call, const Nothing&) { return {call.host().node().hostname}; }
Number get_max_vcpus(Call&, const MaybeText&) { return {255}; }
Text get_capabilities(Call& call, const Nothing&) {
    return {capabilities_xml(call.host().node(), emulator_facts(call.host()))};
}
Number yes(Call&, const Nothing&) { return {1}; }
Nothing nothing(Call&, const Nothing&) { return {}; }

Text get_uri(Call& call, const Nothing&) {
    const auto uri = call.client.uri();
    return {uri.empty() ? "domsnap:///system" : uri};
}

struct DomainCapabilitiesArguments {
    OptionalText emulator, arch, machine, type;
    uint32_t flags = 0;
    DOMSNAP_WIRE(emulator, arch, machine, type, flags)
};

Text get_domain_capabilities(Call& call, const DomainCapabilitiesArguments& arguments) {
    check_flags(arguments.flags, 0, call.procedure);
    DomainKind wanted{arguments.arch.value_or(""), arguments.machine.value_or(""),
                      arguments.type.value_or("")};
    return {domain_capabilities_xml(emulator_facts(call.host()), wanted)};
}

Procedure at_once(Procedure procedure) {
    procedure.access = Access::before_open;
    return procedure;
}

} // namespace

Family connect_family() {
    return {
        at_once(reads("auth_list", auth_list)),
        at_once(reads("connect_open", open)),
        at_once(reads("connect_supports_feature", supports_feature)),
        reads("connect_close", close),
        reads("connect_get_type", get_type),
        reads("connect_get_version", get_version),
        reads("connect_get_lib_version", get_lib_version),
        reads("connect_get_hostname", get_hostname),
        reads("connect_get_uri", get_uri),
        reads("connect_get_max_vcpus", get_max_vcpus),
        reads("connect_get_capabilities", get_capabilities),
        reads("connect_get_domain_capabilities", get_domain_capabilities),
        reads("connect_is_secure", yes), // a Unix socket
        reads("connect_register_close_callback", nothing),
        reads("connect_unregister_close_callback", nothing),
    };
}

} // namespace domsnap::rpc
