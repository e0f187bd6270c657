// Snapshots made, reverted to, deleted.
#include "rpc/work.h"

namespace domsnap::rpc {

namespace {

CreateOptions create_options(uint32_t flags) {
    CreateOptions options;
    // virDomainSnapshotCreateFlags, bit by bit.
    bool* const bits[] = {&options.redefine,  &options.current,        &options.no_metadata, &options.halt,
                          &options.disk_only, &options.reuse_external, &options.quiesce,     &options.atomic,
                          &options.live,      &options.validate};
    for (size_t bit = 0; bit < std::size(bits); ++bit)
        *bits[bit] = flags >> bit & 1;
    return options;
}

struct CreateArguments {
    DomainRef domain;
    std::string xml;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, xml, flags)
};

std::string take(Call& call, const CreateArguments& arguments, const CreateOptions& options) {
    std::string name;
    as_job(call, arguments.domain, Operation::snapshot, [&](const Control& control) {
        name = call.host().snapshot_create(key_of(arguments.domain), arguments.xml, options, control).name;
    });
    return name;
}

OfSnapshot create(Call& call, const CreateArguments& arguments) {
    check_flags(arguments.flags, 1023, call.procedure);
    const auto options = create_options(arguments.flags);
    std::string name;
    try {
        name = options.redefine
                   ? call.host().snapshot_create(key_of(arguments.domain), arguments.xml, options).name
                   : take(call, arguments, options);
    } catch (const Error& error) {
        auto refusal = remote_error(error);
        // By this number virsh would take --halt for unknown here, snapshot without it and destroy the domain
        // itself.
        if (options.halt && refusal.code == static_cast<int32_t>(Code::invalid_argument))
            throw Refusal(Code::operation_invalid, Area::qemu, refusal.message.value_or(""));
        throw;
    }
    return {{name, ref_of(call.host().info(key_of(arguments.domain)))}};
}

Nothing revert(Call& call, const SnapshotFlags& arguments) {
    constexpr uint32_t running = 1, paused = 2, force = 4, reset_nvram = 8;
    check_flags(arguments.flags, running | paused | force | reset_nvram, call.procedure);
    RevertOptions options;
    options.running = arguments.flags & running;
    options.paused = arguments.flags & paused;
    options.force = arguments.flags & force;
    options.reset_nvram = arguments.flags & reset_nvram;
    const auto& [name, domain] = arguments.snapshot;
    as_job(call, domain, Operation::revert, [&](const Control& control) {
        call.host().snapshot_revert(key_of(domain), name, options, control);
    });
    return {};
}

Nothing remove(Call& call, const SnapshotFlags& arguments) {
    constexpr uint32_t children = 1, metadata_only = 2, children_only = 4;
    check_flags(arguments.flags, children | metadata_only | children_only, call.procedure);
    DeleteOptions options;
    options.children = arguments.flags & children;
    options.metadata = arguments.flags & metadata_only;
    options.children_only = arguments.flags & children_only;
    const auto& [name, domain] = arguments.snapshot;
    as_job(call, domain, Operation::remove, [&](const Control& control) {
        call.host().snapshot_delete(key_of(domain), name, options, control);
    });
    return {};
}

Text get_xml(Call& call, const SnapshotFlags& arguments) {
    constexpr uint32_t secure = 1;
    check_flags(arguments.flags, secure, call.procedure);
    if ((arguments.flags & secure) && call.client.read_only())
        throw Refusal(
            Code::operation_denied, Area::snapshot,
            "operation virDomainSnapshotGetXMLDesc with secure flag forbidden for read only access");
    return {call.host().snapshot_xml(key_of(arguments.snapshot.domain), arguments.snapshot.name,
                                     arguments.flags & secure)};
}

} // namespace

Family snapshot_family() {
    return {
        writes("domain_snapshot_create_xml", create),
        writes("domain_revert_to_snapshot", revert),
        writes("domain_snapshot_delete", remove),
        reads("domain_snapshot_get_xml_desc", get_xml),
    };
}

} // namespace domsnap::rpc
