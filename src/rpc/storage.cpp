// Storage pools: see pools.h. Their volumes are volume.cpp's.
#include "rpc/storage.h"
#include "rpc/domains.h"

#include "base/text.h"
#include "model/element.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

NamedRef ref_of(const Pool& pool) { return {pool.name, uuid_bytes(pool.uuid)}; }

Pools& pools_of(Call& call) {
    auto& pools = call.service().pools;
    pools.keep_up(configured_pools(call.host().folders()));
    return pools;
}

Pool active_pool(Call& call, const std::string& name) {
    auto pool = pools_of(call).get(name);
    if (!pool.active)
        throw Refusal(Code::operation_invalid, Area::storage,
                      fmt::format("Requested operation is not valid: storage pool '{}' is not active", name));
    return pool;
}

std::optional<Pool> pool_of_folder(Call& call, const std::string& folder) {
    for (const auto& pool : pools_of(call).all())
        if (pool.active && pool.folder == folder) return pool;
    return std::nullopt;
}

namespace {

struct PoolFlags {
    NamedRef pool;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, flags)
};
struct PoolList {
    List<NamedRef, max_list> pools;
    uint32_t count = 0;
    DOMSNAP_WIRE(pools, count)
};
struct ByUuid {
    Uuid uuid{};
    DOMSNAP_WIRE(uuid)
};
struct PoolInfo {
    uint32_t state = 0; ///< an unsigned char there
    uint64_t capacity = 0, allocation = 0, available = 0;
    DOMSNAP_WIRE(state, capacity, allocation, available)
};

/// virConnectListAllStoragePoolsFlags: inactive, active, persistent, transient, autostart, no-autostart; then
/// the types.
PoolList list_all(Call& call, const ListWanted& wanted) {
    constexpr uint32_t inactive = 1, active = 2, transient = 8, autostart = 16, persistent = 4,
                       no_autostart = 32, folder = 64;
    const auto any = [&](uint32_t group, uint32_t holds) {
        return !(wanted.flags & group) || (wanted.flags & holds);
    };
    PoolList list;
    for (const auto& pool : pools_of(call).all()) {
        if (!any(active | inactive, pool.active ? active : inactive) ||
            !any(transient | persistent, persistent) ||
            !any(autostart | no_autostart, pool.configured ? autostart : no_autostart) || !any(~63u, folder))
            continue;
        ++list.count;
        if (wanted.need_results) list.pools.push_back(ref_of(pool));
    }
    return list;
}

Names names_of(Call& call, bool active, int32_t max) {
    Names names;
    for (const auto& pool : pools_of(call).all())
        if (pool.active == active && names.size() < static_cast<size_t>(std::max(max, 0)))
            names.push_back(pool.name);
    return names;
}
Number count_active(Call& call, const Nothing&) {
    return {static_cast<int32_t>(names_of(call, true, INT32_MAX).size())};
}
Number count_defined(Call& call, const Nothing&) {
    return {static_cast<int32_t>(names_of(call, false, INT32_MAX).size())};
}
SomeNames list_active(Call& call, const Number& max) { return {names_of(call, true, max.value)}; }
SomeNames list_defined(Call& call, const Number& max) { return {names_of(call, false, max.value)}; }

OfPool lookup_by_name(Call& call, const Text& name) { return {ref_of(pools_of(call).get(name.text))}; }
OfPool lookup_by_uuid(Call& call, const ByUuid& wanted) {
    for (const auto& pool : pools_of(call).all())
        if (uuid_bytes(pool.uuid) == wanted.uuid) return {ref_of(pool)};
    throw Refusal(Code::no_storage_pool, Area::storage,
                  fmt::format("Storage pool not found: no storage pool with matching uuid '{}'",
                              uuid_text(wanted.uuid)));
}

constexpr uint32_t build_flags = 7; ///< build; with overwrite, without

OfPool define(Call& call, const TextFlags& a) {
    check_flags(a.flags, 1, call.procedure); // validate: what is read of it is checked anyhow
    return {ref_of(pools_of(call).define(a.text))};
}
Nothing create(Call& call, const PoolFlags& a) {
    check_flags(a.flags, build_flags, call.procedure);
    const auto pool = pools_of(call).get(a.pool.name);
    if (a.flags) make_pool_folder(pool.folder);
    static_cast<void>(space_of_pool(pool.folder));
    pools_of(call).set_active(a.pool.name, true);
    return {};
}
/// libvirt's transient pool: here it is known as long as any other.
OfPool create_xml(Call& call, const TextFlags& a) {
    check_flags(a.flags, build_flags, call.procedure);
    const auto pool = pools_of(call).define(a.text);
    create(call, PoolFlags{ref_of(pool), a.flags});
    return {ref_of(pool)};
}
Nothing build(Call& call, const PoolFlags& a) {
    check_flags(a.flags, build_flags, call.procedure); // a folder's content is never overwritten
    make_pool_folder(pools_of(call).get(a.pool.name).folder);
    return {};
}
Nothing destroy(Call& call, const OfPool& a) {
    pools_of(call).set_active(a.pool.name, false);
    return {};
}
Nothing undefine(Call& call, const OfPool& a) {
    pools_of(call).forget(a.pool.name);
    return {};
}
Nothing refresh(Call& call, const PoolFlags& a) {
    active_pool(call, a.pool.name); // its volumes are looked for whenever somebody asks
    return {};
}
/// One that is configured is active whenever the server runs.
Number get_autostart(Call& call, const OfPool& a) { return {pools_of(call).get(a.pool.name).configured}; }
/// virt-install always asks for it. There is nothing to do, now or later.
Nothing set_autostart(Call& call, const PoolNumber& a) {
    pools_of(call).get(a.pool.name);
    return {};
}
Number is_active(Call& call, const OfPool& a) { return {pools_of(call).get(a.pool.name).active}; }
Number is_persistent(Call& call, const OfPool& a) {
    pools_of(call).get(a.pool.name);
    return {1};
}
PoolInfo get_info(Call& call, const OfPool& a) {
    constexpr uint32_t inactive = 0, running = 2;
    const auto pool = pools_of(call).get(a.pool.name);
    if (!pool.active) return {inactive, 0, 0, 0};
    const auto space = space_of_pool(pool.folder);
    return {running, space.capacity, space.capacity - space.available, space.available};
}
Text get_xml(Call& call, const PoolFlags& a) {
    const auto pool = pools_of(call).get(a.pool.name);
    const auto space = pool.active ? space_of_pool(pool.folder) : FolderSpace{};
    return {fmt::format("<pool type='dir'>\n  <name>{}</name>\n  <uuid>{}</uuid>\n"
                        "  <capacity unit='bytes'>{}</capacity>\n  <allocation unit='bytes'>{}</allocation>\n"
                        "  <available unit='bytes'>{}</available>\n  <source>\n  </source>\n  <target>\n"
                        "    <path>{}</path>\n  </target>\n</pool>\n",
                        model::escape_xml(pool.name), pool.uuid, space.capacity,
                        space.capacity - space.available, space.available, model::escape_xml(pool.folder))};
}
} // namespace

Family storage_family() {
    return {
        reads("connect_list_all_storage_pools", list_all),
        reads("connect_num_of_storage_pools", count_active),
        reads("connect_list_storage_pools", list_active),
        reads("connect_num_of_defined_storage_pools", count_defined),
        reads("connect_list_defined_storage_pools", list_defined),
        reads("storage_pool_lookup_by_name", lookup_by_name),
        reads("storage_pool_lookup_by_uuid", lookup_by_uuid),
        writes("storage_pool_define_xml", define),
        writes("storage_pool_create", create),
        writes("storage_pool_create_xml", create_xml),
        writes("storage_pool_build", build),
        writes("storage_pool_destroy", destroy),
        writes("storage_pool_undefine", undefine),
        writes("storage_pool_refresh", refresh),
        reads("storage_pool_get_autostart", get_autostart),
        writes("storage_pool_set_autostart", set_autostart),
        reads("storage_pool_is_active", is_active),
        reads("storage_pool_is_persistent", is_persistent),
        reads("storage_pool_get_info", get_info),
        reads("storage_pool_get_xml_desc", get_xml),
    };
}

} // namespace domsnap::rpc
