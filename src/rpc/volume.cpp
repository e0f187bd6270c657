// Volumes looked at: the files in a pool's folder.
#include "rpc/volumes.h"

#include "base/text.h"
#include "model/element.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

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

[[noreturn]] void no_volume(const std::string& what, const std::string& which) {
    throw Refusal(Code::no_storage_volume, Area::storage,
                  fmt::format("Storage volume not found: no storage vol with matching {} '{}'", what,
                              text::printable(which)));
}

/// A name is a file's in the pool's folder, and nothing that leads out of it.
bool is_in(const Pool& pool, const std::string& name) {
    const bool leads_out = name.empty() || name.front() == '.' || name.find('/') != std::string::npos;
    return !leads_out && is_volume(path_in(pool, name));
}
Volume get(Call& call, const VolumeRef& ref) {
    if (auto found = volume(call.host().folders(), path_of(call, ref))) return *found;
    no_volume("name", ref.name);
}

std::vector<std::string> all_of(const Pool& pool) {
    static_cast<void>(space_of_pool(pool.folder)); // gone behind our back: that is said, and not "none"
    return volume_names(pool.folder);
}

Number count(Call& call, const OfPool& a) {
    return {static_cast<int32_t>(all_of(active_pool(call, a.pool.name)).size())};
}
SomeNames list_names(Call& call, const PoolNumber& a) {
    SomeNames names;
    for (const auto& one : all_of(active_pool(call, a.pool.name)))
        if (names.names.size() < std::min<size_t>(max_list, static_cast<size_t>(std::max(a.number, 0))))
            names.names.push_back(one);
    return names;
}
VolumeList list_all(Call& call, const ListArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto pool = active_pool(call, a.pool.name);
    VolumeList list;
    for (const auto& one : all_of(pool)) {
        if (list.count == max_list) break;
        ++list.count;
        if (a.need_results) list.volumes.push_back(ref_of(pool, one));
    }
    return list;
}

OfVolume by_name(Call& call, const PoolName& a) {
    const auto pool = active_pool(call, a.pool.name);
    if (is_in(pool, a.name)) return {ref_of(pool, a.name)};
    no_volume("name", a.name);
}

OfVolume by_path(Call& call, const Text& path) {
    if (text::starts_with_slash(path.text))
        if (const auto pool = pool_of_folder(call, text::folder_of(path.text)))
            if (const auto name = text::base_name(path.text); is_in(*pool, name))
                return {ref_of(*pool, name)};
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
Text path(Call& call, const OfVolume& a) { return {path_of(call, a.volume)}; }

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

} // namespace

std::string path_in(const Pool& pool, const std::string& name) { return pool.folder + "/" + name; }

VolumeRef ref_of(const Pool& pool, const std::string& name) { return {pool.name, name, path_in(pool, name)}; }

std::string path_of(Call& call, const VolumeRef& ref) {
    const auto pool = active_pool(call, ref.pool);
    if (is_in(pool, ref.name)) return path_in(pool, ref.name);
    no_volume("name", ref.name);
}

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
    };
}

} // namespace domsnap::rpc
