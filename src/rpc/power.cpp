// A domain's life: started, stopped, paused.
#include "rpc/disk_formats.h"
#include "rpc/domains.h"
#include "xml/document.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

void start(Call& call, const std::string& key, uint32_t flags) {
    // bypass_cache: no cache is in the way anyhow.
    constexpr uint32_t paused = 1, bypass_cache = 4, force_boot = 8, reset_nvram = 32;
    check_flags(flags, paused | bypass_cache | force_boot | reset_nvram, call.procedure);
    call.host().start(key, {.paused = (flags & paused) != 0,
                            .reset_nvram = (flags & reset_nvram) != 0,
                            .force_boot = (flags & force_boot) != 0});
}

Nothing create(Call& call, const OfDomain& arguments) {
    start(call, key_of(arguments.domain), 0);
    return {};
}
OfDomain create_flags(Call& call, const DomainFlags& arguments) {
    start(call, key_of(arguments.domain), arguments.flags);
    return {ref_of(call.host().info(key_of(arguments.domain)))};
}

void refuse_known(Call& call, const std::string& name) {
    for (const auto& info : call.host().list(true))
        if (info.name == name)
            throw Error(
                ErrorCode::conflict,
                fmt::format("operation failed: domain '{}' already exists with uuid {}", name, info.uuid),
                "start it, or define it anew");
}

/// libvirt's transient domain, for those who define it right afterwards: here it is defined from the start,
/// and stays so.
OfDomain create_xml(Call& call, const TextFlags& arguments) {
    constexpr uint32_t validate = 16;
    refuse_known(call, xml::parse_root(arguments.text, "domain", "(domain_definition)").text_at("name"));
    const auto name = call.host().define(with_disk_formats(call, arguments.text), arguments.flags & validate);
    try {
        start(call, name, arguments.flags & ~validate);
    } catch (...) {
        Host::UndefineOptions as_it_was;
        as_it_was.keep_nvram = true;
        call.host().undefine(name, as_it_was);
        throw;
    }
    return {ref_of(call.host().info(name))};
}

Nothing destroy(Call& call, const OfDomain& arguments) {
    call.host().destroy(key_of(arguments.domain));
    return {};
}
Nothing destroy_flags(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, 1, call.procedure);
    call.host().destroy(key_of(arguments.domain), arguments.flags & 1);
    return {};
}
Nothing shutdown(Call& call, const OfDomain& arguments) {
    call.host().shutdown(key_of(arguments.domain));
    return {};
}

constexpr uint32_t acpi_button = 1; ///< of virDomainShutdownFlagValues and virDomainRebootFlagValues

Nothing shutdown_flags(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, acpi_button, call.procedure);
    call.host().shutdown(key_of(arguments.domain));
    return {};
}
Nothing reboot(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, acpi_button, call.procedure);
    call.host().reboot(key_of(arguments.domain));
    return {};
}
Nothing reset(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, 0, call.procedure);
    call.host().reset(key_of(arguments.domain));
    return {};
}
Nothing suspend(Call& call, const OfDomain& arguments) {
    call.host().suspend(key_of(arguments.domain));
    return {};
}
Nothing resume(Call& call, const OfDomain& arguments) {
    call.host().resume(key_of(arguments.domain));
    return {};
}

} // namespace

Family power_family() {
    return {
        writes("domain_create", create),
        writes("domain_create_with_flags", create_flags),
        writes("domain_create_xml", create_xml),
        writes("domain_destroy", destroy),
        writes("domain_destroy_flags", destroy_flags),
        writes("domain_shutdown", shutdown),
        writes("domain_shutdown_flags", shutdown_flags),
        writes("domain_reboot", reboot),
        writes("domain_reset", reset),
        writes("domain_suspend", suspend),
        writes("domain_resume", resume),
    };
}

} // namespace domsnap::rpc
