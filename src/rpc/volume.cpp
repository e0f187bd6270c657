// Volumes: the files in a pool's folder. The key of one is its path, as in libvirt.
#include "rpc/domains.h"
#include "rpc/storage.h"

#include "base/text.h"
#include "model/element.h"
#include "model/unit.h"
#include "xml/document.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

struct VolumeRef {
    std::string pool, name, key;
    DOMSNAP_WIRE(pool, name, key)
};
struct OfVolume {
    VolumeRef volume;
    DOMSNAP_WIRE(volume)
};
struct VolumeFlags {
    VolumeRef volume;
    uint32_t flags = 0;
    DOMSNAP_WIRE(volume, flags)
};
struct PoolText {
    NamedRef pool;
    std::string text;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, text, flags)
};
struct PoolName {
    NamedRef pool;
    std::string name;
    DOMSNAP_WIRE(pool, name)
};
struct ListArguments {
    NamedRef pool;
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, need_results, flags)
};
struct VolumeList {
    List<VolumeRef, max_list> volumes;
    uint32_t count = 0;
    DOMSNAP_WIRE(volumes, count)
};
struct VolumeInfo {
    int32_t type = 0; ///< a file
    uint64_t capacity = 0, allocation = 0;
    DOMSNAP_WIRE(type, capacity, allocation)
};
struct VolumeInfoFlags {
    int32_t type = 0;
    uint64_t capacity = 0, allocation = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(type, capacity, allocation, flags)
};

VolumeRef ref_of(const Pool& pool, const Volume& volume) { return {pool.name, volume.name, volume.path}; }

[[noreturn]] void no_volume(const std::string& what, const std::string& which) {
    throw Refusal(Code::no_storage_volume, Area::storage,
                  fmt::format("Storage volume not found: no storage vol with matching {} '{}'", what,
                              text::printable(which)));
}

/// A name is a file's in the pool's folder, and nothing that leads out of it.
std::optional<Volume> find(Call& call, const Pool& pool, const std::string& name) {
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) return std::nullopt;
    return volume(call.host().folders(), pool.folder + "/" + name);
}
Volume get(Call& call, const VolumeRef& ref) {
    if (auto found = find(call, active_pool(call, ref.pool), ref.name)) return *found;
    no_volume("name", ref.name);
}

std::vector<Volume> all_of(Call& call, const Pool& pool) {
    static_cast<void>(space_of_pool(pool.folder)); // gone behind our back: that is said, and not "none"
    return volumes(call.host().folders(), pool.folder);
}

Number count(Call& call, const OfPool& a) {
    return {static_cast<int32_t>(all_of(call, active_pool(call, a.pool.name)).size())};
}
SomeNames list_names(Call& call, const PoolNumber& a) {
    SomeNames names;
    for (const auto& one : all_of(call, active_pool(call, a.pool.name)))
        if (names.names.size() < std::min<size_t>(max_list, static_cast<size_t>(std::max(a.number, 0))))
            names.names.push_back(one.name);
    return names;
}
VolumeList list_all(Call& call, const ListArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto pool = active_pool(call, a.pool.name);
    VolumeList list;
    for (const auto& one : all_of(call, pool)) {
        if (list.count == max_list) break;
        ++list.count;
        if (a.need_results) list.volumes.push_back(ref_of(pool, one));
    }
    return list;
}

OfVolume by_name(Call& call, const PoolName& a) {
    const auto pool = active_pool(call, a.pool.name);
    if (const auto found = find(call, pool, a.name)) return {ref_of(pool, *found)};
    no_volume("name", a.name);
}

OfVolume by_path(Call& call, const Text& path) {
    if (text::starts_with_slash(path.text))
        if (const auto pool = pool_of_folder(call, text::folder_of(path.text)))
            if (const auto found = find(call, *pool, text::base_name(path.text)))
                return {ref_of(*pool, *found)};
    no_volume("path", path.text);
}
OfPool pool_by_volume(Call& call, const OfVolume& a) { return {ref_of(pools_of(call).get(a.volume.pool))}; }
OfPool pool_by_path(Call& call, const TextFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    if (const auto pool = pool_of_folder(call, a.text)) return {ref_of(*pool)};
    throw Refusal(Code::no_storage_pool, Area::storage,
                  fmt::format("Storage pool not found: no storage pool with matching target path '{}'",
                              text::printable(a.text)));
}

VolumeInfo info(Call& call, const OfVolume& a) {
    const auto volume = get(call, a.volume);
    return {0, volume.capacity, volume.allocation};
}
VolumeInfoFlags info_flags(Call& call, const VolumeFlags& a) {
    constexpr uint32_t physical = 1;
    check_flags(a.flags, physical, call.procedure);
    const auto volume = get(call, a.volume);
    return {0, volume.capacity, volume.allocation, a.flags};
}
Text path(Call& call, const OfVolume& a) { return {get(call, a.volume).path}; }

std::string backing_xml(const Volume& volume) {
    if (volume.backing.empty()) return {};
    const auto format = volume.backing_format.empty() ? ""
                                                      : fmt::format("    <format type='{}'/>\n",
                                                                    model::escape_xml(volume.backing_format));
    return fmt::format("  <backingStore>\n    <path>{}</path>\n{}  </backingStore>\n",
                       model::escape_xml(volume.backing), format);
}

Text xml_of(Call& call, const VolumeFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto volume = get(call, a.volume);
    return {fmt::format("<volume type='file'>\n  <name>{}</name>\n  <key>{}</key>\n"
                        "  <capacity unit='bytes'>{}</capacity>\n  <allocation unit='bytes'>{}</allocation>\n"
                        "  <target>\n    <path>{}</path>\n    <format type='{}'/>\n    <permissions>\n"
                        "      <mode>0{:o}</mode>\n    </permissions>\n    <timestamps>\n"
                        "      <mtime>{}</mtime>\n    </timestamps>\n  </target>\n{}</volume>\n",
                        model::escape_xml(volume.name), model::escape_xml(volume.path), volume.capacity,
                        volume.allocation, model::escape_xml(volume.path), volume.format, volume.mode,
                        volume.modified, backing_xml(volume))};
}

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

/// Preallocation of metadata is asked for by virt-install and is only a matter of speed; disks are made
/// sparse.
OfVolume create(Call& call, const PoolText& a) {
    constexpr uint32_t preallocate_metadata = 1, validate = 4;
    check_flags(a.flags, preallocate_metadata | validate, call.procedure);
    const auto pool = active_pool(call, a.pool.name);
    return {ref_of(pool, create_volume(call.host().folders(), pool.folder, new_volume(a.text)))};
}
Nothing remove(Call& call, const VolumeFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    delete_volume(call.host().folders(), get(call, a.volume).path);
    return {};
}

} // namespace

Family volume_family() {
    return {
        reads("storage_pool_num_of_volumes", count),
        reads("storage_pool_list_volumes", list_names),
        reads("storage_pool_list_all_volumes", list_all),
        reads("storage_pool_lookup_by_volume", pool_by_volume),
        reads("storage_pool_lookup_by_target_path", pool_by_path),
        reads("storage_vol_lookup_by_name", by_name),
        reads("storage_vol_lookup_by_key", by_path),
        reads("storage_vol_lookup_by_path", by_path),
        reads("storage_vol_get_info", info),
        reads("storage_vol_get_info_flags", info_flags),
        reads("storage_vol_get_xml_desc", xml_of),
        reads("storage_vol_get_path", path),
        writes("storage_vol_create_xml", create),
        writes("storage_vol_delete", remove),
    };
}

} // namespace domsnap::rpc
