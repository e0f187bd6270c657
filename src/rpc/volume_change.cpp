// Volumes made, copied, resized, wiped and deleted.
#include "rpc/volumes.h"

#include "base/text.h"
#include "model/element.h"
#include "model/unit.h"
#include "xml/document.h"

#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

struct PoolText {
    NamedRef pool;
    std::string text;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, text, flags)
};
struct CopyArguments {
    NamedRef pool;
    std::string text;
    VolumeRef from;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, text, from, flags)
};
struct ResizeArguments {
    VolumeRef volume;
    uint64_t capacity = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(volume, capacity, flags)
};
struct WipeArguments {
    VolumeRef volume;
    uint32_t algorithm = 0, flags = 0;
    DOMSNAP_WIRE(volume, algorithm, flags)
};

/// libvirt's units; bytes where none is said.
uint64_t bytes_of(const model::Element& root, const std::string& name) {
    const auto* element = root.child(name);
    if (!element || element->text().empty()) return 0;
    const auto number = text::to_u64(text::trim(element->text()));
    const auto scale = model::unit_size(element->attribute("unit", "bytes"));
    if (!number || !scale || (*scale && *number > UINT64_MAX / *scale))
        throw Error(ErrorCode::invalid_request, fmt::format("XML error: malformed <{}> of a volume: '{}'",
                                                            name, text::printable(element->text())));
    return *number * *scale;
}

NewVolume new_volume(const std::string& xml) {
    const auto root = xml::parse_root(xml, "volume", "(storage_volume_definition)");
    NewVolume wanted{.name = root.text_at("name"),
                     .format = "raw",
                     .capacity = bytes_of(root, "capacity"),
                     .backing = root.text_at("backingStore/path"),
                     .backing_format = {}};
    if (const auto* format = root.at("target/format")) wanted.format = format->attribute("type", "raw");
    if (const auto* format = root.at("backingStore/format"))
        wanted.backing_format = format->attribute("type");
    if (!wanted.backing.empty() && wanted.backing_format.empty())
        throw Error(ErrorCode::invalid_request, "XML error: <backingStore> does not say its <format type=>",
                    "domsnap probes no formats");
    if (root.at("target/encryption"))
        throw Error(ErrorCode::unsupported, "encrypted volumes are not had", "leave <encryption> out");
    return wanted;
}

constexpr uint32_t preallocate_metadata = 1, validate = 4;

/// Preallocation of metadata is asked for by virt-install and is only a matter of speed; disks are made
/// sparse.
OfVolume create(Call& call, const PoolText& a) {
    check_flags(a.flags, preallocate_metadata | validate, call.procedure);
    const auto pool = active_pool(call, a.pool.name);
    return {ref_of(pool, create_volume(call.host().folders(), pool.folder, new_volume(a.text)).name)};
}
OfVolume copy(Call& call, const CopyArguments& a) {
    check_flags(a.flags, preallocate_metadata | validate, call.procedure);
    const auto pool = active_pool(call, a.pool.name);
    const auto from = path_of(call, a.from);
    return {ref_of(pool, copy_volume(call.host().folders(), pool.folder, new_volume(a.text), from, {}).name)};
}
/// With delta the capacity is a difference, and what is taken away where shrinking is asked for, too.
Nothing resize(Call& call, const ResizeArguments& a) {
    constexpr uint32_t delta = 2, shrink = 4;
    check_flags(a.flags, delta | shrink, call.procedure);
    const auto path = path_of(call, a.volume);
    auto capacity = a.capacity;
    if (a.flags & delta) {
        const auto now = volume(call.host().folders(), path).value_or(Volume{}).capacity;
        if (a.flags & shrink)
            capacity = now - std::min(now, capacity);
        else
            capacity = capacity > UINT64_MAX - now ? UINT64_MAX : now + capacity;
    }
    resize_volume(call.host().folders(), path, capacity, a.flags & shrink);
    return {};
}
Nothing wipe_by(Call& call, const WipeArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    if (a.algorithm != 0)
        throw Refusal(Code::operation_unsupported, Area::storage,
                      "Operation not supported: a volume is wiped with zeros, and by no other algorithm");
    wipe_volume(call.host().folders(), path_of(call, a.volume));
    return {};
}
Nothing wipe(Call& call, const VolumeFlags& a) { return wipe_by(call, {a.volume, 0, a.flags}); }
Nothing remove(Call& call, const VolumeFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    delete_volume(call.host().folders(), path_of(call, a.volume));
    return {};
}

} // namespace

Family volume_change_family() {
    return {
        writes("storage_vol_create_xml", create),    writes("storage_vol_create_xml_from", copy),
        writes("storage_vol_resize", resize),        writes("storage_vol_wipe", wipe),
        writes("storage_vol_wipe_pattern", wipe_by), writes("storage_vol_delete", remove),
    };
}

} // namespace domsnap::rpc
