// Domains: found, listed, described, defined.
#include "rpc/disk_formats.h"
#include "rpc/domains.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

struct DomainList {
    DomainRefs domains;
    uint32_t count = 0;
    DOMSNAP_WIRE(domains, count)
};
struct Ids {
    List<int32_t, max_list> ids;
    DOMSNAP_WIRE(ids)
};
struct ByUuid {
    Uuid uuid{};
    DOMSNAP_WIRE(uuid)
};

OfDomain lookup_by_name(Call& call, const Text& name) {
    const auto wrong = [&] { no_domain(fmt::format("no domain with matching name '{}'", name.text)); };
    try {
        const auto info = call.host().info(name.text);
        if (info.name != name.text) wrong(); // the host also takes UUIDs and ids
        return {ref_of(info)};
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        wrong();
    }
    return {};
}

OfDomain lookup_by_uuid(Call& call, const ByUuid& uuid) {
    const auto text = uuid_text(uuid.uuid);
    try {
        return {ref_of(call.host().info(text))};
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        no_domain(fmt::format("no domain with matching uuid '{}'", text));
    }
}

OfDomain lookup_by_id(Call& call, const Number& id) {
    for (const auto& info : call.host().list(false))
        if (info.id == id.value) return {ref_of(info)};
    no_domain(fmt::format("no domain with matching id {}", id.value));
}

DomainList list_all(Call& call, const ListWanted& wanted) {
    check_flags(wanted.flags, list_flags::all, call.procedure);
    DomainList list;
    for (const auto& info : wanted_domains(call.host(), wanted.flags)) {
        ++list.count;
        if (wanted.need_results) list.domains.push_back(ref_of(info));
    }
    return list;
}

Number count_active(Call& call, const Nothing&) {
    return {static_cast<int32_t>(wanted_domains(call.host(), list_flags::active).size())};
}
Number count_inactive(Call& call, const Nothing&) {
    return {static_cast<int32_t>(wanted_domains(call.host(), list_flags::inactive).size())};
}

size_t at_most(const Number& wanted) {
    return static_cast<size_t>(std::clamp<int32_t>(wanted.value, 0, max_list));
}

Ids list_ids(Call& call, const Number& wanted) {
    Ids ids;
    for (const auto& info : wanted_domains(call.host(), list_flags::active))
        if (ids.ids.size() < at_most(wanted)) ids.ids.push_back(static_cast<int32_t>(info.id));
    return ids;
}

SomeNames list_defined(Call& call, const Number& wanted) {
    SomeNames names;
    for (const auto& info : wanted_domains(call.host(), list_flags::inactive))
        if (names.names.size() < at_most(wanted)) names.names.push_back(info.name);
    return names;
}

Text get_xml(Call& call, const DomainFlags& arguments) {
    constexpr uint32_t secure = 1, inactive = 2, update_cpu = 4, migratable = 8;
    check_flags(arguments.flags, secure | inactive | update_cpu | migratable, call.procedure);
    if ((arguments.flags & secure) && call.client.read_only())
        throw Refusal(Code::operation_denied, Area::domain,
                      "operation virDomainGetXMLDesc with secure flag forbidden for read only access");
    return {call.host().xml(key_of(arguments.domain), arguments.flags & inactive, arguments.flags & secure)};
}

OfDomain define(Call& call, const std::string& xml, bool validate) {
    return {ref_of(call.host().info(call.host().define(with_disk_formats(call, xml), validate)))};
}
OfDomain define_xml(Call& call, const Text& xml) { return define(call, xml.text, false); }
OfDomain define_xml_flags(Call& call, const TextFlags& arguments) {
    check_flags(arguments.flags, 1, call.procedure);
    return define(call, arguments.text, arguments.flags & 1);
}

void undefine(Call& call, const DomainRef& domain, uint32_t flags) {
    // Checkpoints are not there to be kept; all else is removed or kept as the flags say.
    constexpr uint32_t managed_save = 1, snapshots_metadata = 2, nvram = 4, keep_nvram = 8, checkpoints = 16,
                       tpm = 32, keep_tpm = 64;
    check_flags(flags, managed_save | snapshots_metadata | nvram | keep_nvram | checkpoints | tpm | keep_tpm,
                call.procedure);
    Host::UndefineOptions options;
    options.snapshots_metadata = flags & snapshots_metadata;
    options.nvram = flags & nvram;
    options.keep_nvram = flags & keep_nvram;
    options.tpm = flags & tpm;
    options.managed_save = flags & managed_save;
    options.keep_tpm = flags & keep_tpm;
    call.host().undefine(key_of(domain), options);
}
Nothing undefine_plain(Call& call, const OfDomain& arguments) {
    undefine(call, arguments.domain, 0);
    return {};
}
Nothing undefine_flags(Call& call, const DomainFlags& arguments) {
    undefine(call, arguments.domain, arguments.flags);
    return {};
}

struct RenameArguments {
    DomainRef domain;
    OptionalText new_name;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, new_name, flags)
};
Number rename(Call& call, const RenameArguments& arguments) {
    check_flags(arguments.flags, 0, call.procedure);
    call.host().rename(key_of(arguments.domain), arguments.new_name.value_or(""));
    return {0};
}

// Every domain is defined; none starts by itself, or has a label.
Number is_active(Call& call, const OfDomain& arguments) {
    return {call.host().info(key_of(arguments.domain)).active()};
}
Number is_persistent(Call& call, const OfDomain& arguments) {
    call.host().info(key_of(arguments.domain));
    return {1};
}
Number is_updated(Call& call, const OfDomain& arguments) {
    const auto key = key_of(arguments.domain);
    return {call.host().info(key).active() && call.host().xml(key, false) != call.host().xml(key, true)};
}
Number has_managed_save(Call& call, const DomainFlags& arguments) {
    return {call.host().has_managed_save(key_of(arguments.domain))};
}
Number get_autostart(Call& call, const OfDomain& arguments) {
    call.host().info(key_of(arguments.domain));
    return {0};
}

struct AutostartArguments {
    DomainRef domain;
    int32_t autostart = 0;
    DOMSNAP_WIRE(domain, autostart)
};
Nothing set_autostart(Call& call, const AutostartArguments& arguments) {
    call.host().info(key_of(arguments.domain));
    if (arguments.autostart)
        throw Refusal(Code::operation_unsupported, Area::qemu,
                      "Operation not supported: domsnap starts no domain by itself");
    return {};
}

} // namespace

Family domain_family() {
    return {
        reads("domain_lookup_by_name", lookup_by_name),
        reads("domain_lookup_by_uuid", lookup_by_uuid),
        reads("domain_lookup_by_id", lookup_by_id),
        reads("connect_list_all_domains", list_all),
        reads("connect_num_of_domains", count_active),
        reads("connect_list_domains", list_ids),
        reads("connect_num_of_defined_domains", count_inactive),
        reads("connect_list_defined_domains", list_defined),
        reads("domain_get_xml_desc", get_xml),
        writes("domain_define_xml", define_xml),
        writes("domain_define_xml_flags", define_xml_flags),
        writes("domain_undefine", undefine_plain),
        writes("domain_undefine_flags", undefine_flags),
        writes("domain_rename", rename),
        reads("domain_is_active", is_active),
        reads("domain_is_persistent", is_persistent),
        reads("domain_is_updated", is_updated),
        reads("domain_has_managed_save_image", has_managed_save),
        reads("domain_get_autostart", get_autostart),
        writes("domain_set_autostart", set_autostart),
    };
}

} // namespace domsnap::rpc
