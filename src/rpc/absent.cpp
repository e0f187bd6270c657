// What domsnap does not have and every client asks for: networks, devices, secrets, filters,
// checkpoints. There are none; and who asks for one by name is told so by libvirt's number for it.
#include "rpc/domains.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

/// An empty list and its length, of whatever.
struct EmptyList {
    uint32_t entries = 0, count = 0;
    DOMSNAP_WIRE(entries, count)
};
EmptyList none(Call&, const ListWanted&) { return {}; }
Number zero(Call&, const Nothing&) { return {0}; }
SomeNames no_names(Call&, const Number&) { return {}; }

struct DeviceCount {
    OptionalText capability;
    uint32_t flags = 0;
    DOMSNAP_WIRE(capability, flags)
};
Number no_devices(Call&, const DeviceCount&) { return {0}; }
struct DeviceNames {
    OptionalText capability;
    int32_t max = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(capability, max, flags)
};
SomeNames no_device_names(Call&, const DeviceNames&) { return {}; }

struct OfDomainList {
    DomainRef domain;
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, need_results, flags)
};
EmptyList no_checkpoints(Call& call, const OfDomainList& a) {
    call.host().info(key_of(a.domain));
    return {};
}

struct MetadataArguments {
    DomainRef domain;
    int32_t type = 0;
    OptionalText uri;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, type, uri, flags)
};
Text get_metadata(Call& call, const MetadataArguments& a) {
    call.host().info(key_of(a.domain));
    // Clients read title and description out of the domain's XML when they are told this.
    throw Refusal(Code::no_support, Area::domain,
                  "this function is not supported by the connection driver: virDomainGetMetadata");
}

struct Messages {
    List<std::string, 2048> messages;
    DOMSNAP_WIRE(messages)
};
Messages no_messages(Call& call, const DomainFlags& a) {
    call.host().info(key_of(a.domain));
    return {};
}

struct SecurityLabel {
    WideText label;
    int32_t enforcing = 0;
    DOMSNAP_WIRE(label, enforcing)
};
SecurityLabel no_label(Call& call, const OfDomain& a) {
    call.host().info(key_of(a.domain));
    return {};
}

/// The arguments of a lookup, whatever they are: the answer is the same.
template <Code code, Area area>
Procedure finds_none(std::string_view name, std::string_view what) {
    return {name, Access::read, [what](Call&, std::string_view) -> std::string {
                throw Refusal(code, area, fmt::format("{} not found: there are none here", what));
            }};
}

} // namespace

static void add_lists(Family& family) {
    for (const auto name :
         {"connect_list_all_networks", "connect_list_all_interfaces", "connect_list_all_node_devices",
          "connect_list_all_nwfilters", "connect_list_all_secrets", "connect_list_all_nwfilter_bindings"})
        family.push_back(reads(name, none));
    for (const auto name :
         {"connect_num_of_networks", "connect_num_of_defined_networks", "connect_num_of_interfaces",
          "connect_num_of_defined_interfaces", "connect_num_of_nwfilters", "connect_num_of_secrets"})
        family.push_back(reads(name, zero));
    for (const auto name :
         {"connect_list_networks", "connect_list_defined_networks", "connect_list_interfaces",
          "connect_list_defined_interfaces", "connect_list_nwfilters", "connect_list_secrets"})
        family.push_back(reads(name, no_names));
    family.push_back(reads("node_num_of_devices", no_devices));
    family.push_back(reads("node_list_devices", no_device_names));
    family.push_back(reads("domain_list_all_checkpoints", no_checkpoints));
}

static void add_lookups(Family& family) {
    for (const auto name : {"network_lookup_by_name", "network_lookup_by_uuid"})
        family.push_back(finds_none<Code::no_network, Area::network>(name, "Network"));
    for (const auto name : {"interface_lookup_by_name", "interface_lookup_by_mac_string"})
        family.push_back(finds_none<Code::no_interface, Area::interface>(name, "Interface"));
    for (const auto name : {"node_device_lookup_by_name", "node_device_lookup_scsi_host_by_wwn"})
        family.push_back(finds_none<Code::no_node_device, Area::nodedev>(name, "Node device"));
    for (const auto name : {"nwfilter_lookup_by_name", "nwfilter_lookup_by_uuid"})
        family.push_back(finds_none<Code::no_nwfilter, Area::nwfilter>(name, "Network filter"));
    for (const auto name : {"secret_lookup_by_uuid", "secret_lookup_by_usage"})
        family.push_back(finds_none<Code::no_secret, Area::secret>(name, "Secret"));
    family.push_back(finds_none<Code::no_nwfilter_binding, Area::nwfilter>(
        "nwfilter_binding_lookup_by_port_dev", "Network filter binding"));
    family.push_back(finds_none<Code::no_checkpoint, Area::checkpoint>("domain_checkpoint_lookup_by_name",
                                                                       "Domain checkpoint"));
}

Family absent_family() {
    Family family{reads("domain_get_metadata", get_metadata), reads("domain_get_messages", no_messages),
                  reads("domain_get_security_label", no_label)};
    add_lists(family);
    add_lookups(family);
    return family;
}

} // namespace domsnap::rpc
