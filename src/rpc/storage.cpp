// Storage pools, as far as they are had: see pools.h.
#include "rpc/domains.h"

#include "base/text.h"
#include "model/element.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

NamedRef ref_of(const Pool& pool) { return {pool.name, uuid_bytes(pool.uuid)}; }

struct OfPool {
    NamedRef pool;
    DOMSNAP_WIRE(pool)
};
struct PoolFlags {
    NamedRef pool;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, flags)
};
struct PoolNumber {
    NamedRef pool;
    int32_t number = 0;
    DOMSNAP_WIRE(pool, number)
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
    for (const auto& pool : call.service().pools.all()) {
        if (!any(active | inactive, pool.active ? active : inactive) ||
            !any(transient | persistent, persistent) || !any(autostart | no_autostart, no_autostart) ||
            !any(~63u, folder))
            continue;
        ++list.count;
        if (wanted.need_results) list.pools.push_back(ref_of(pool));
    }
    return list;
}

Names names_of(Call& call, bool active, int32_t max) {
    Names names;
    for (const auto& pool : call.service().pools.all())
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

OfPool lookup_by_name(Call& call, const Text& name) { return {ref_of(call.service().pools.get(name.text))}; }
OfPool lookup_by_uuid(Call& call, const ByUuid& wanted) {
    for (const auto& pool : call.service().pools.all())
        if (uuid_bytes(pool.uuid) == wanted.uuid) return {ref_of(pool)};
    throw Refusal(Code::no_storage_pool, Area::storage,
                  fmt::format("Storage pool not found: no storage pool with matching uuid '{}'",
                              uuid_text(wanted.uuid)));
}

OfPool define(Call& call, const TextFlags& a) {
    check_flags(a.flags, 1, call.procedure); // validate: what is read of it is checked anyhow
    return {ref_of(call.service().pools.define(a.text))};
}
Nothing create(Call& call, const PoolFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    call.service().pools.set_active(a.pool.name, true);
    return {};
}
Nothing destroy(Call& call, const OfPool& a) {
    call.service().pools.set_active(a.pool.name, false);
    return {};
}
Nothing undefine(Call& call, const OfPool& a) {
    call.service().pools.forget(a.pool.name);
    return {};
}
Nothing refresh(Call& call, const PoolFlags& a) {
    call.service().pools.get(a.pool.name);
    return {};
}
Number get_autostart(Call& call, const OfPool& a) {
    call.service().pools.get(a.pool.name);
    return {0};
}
/// virt-install always asks for it. A pool is not started, so there is nothing to do, now or later.
Nothing set_autostart(Call& call, const PoolNumber& a) {
    call.service().pools.get(a.pool.name);
    return {};
}
Number is_active(Call& call, const OfPool& a) { return {call.service().pools.get(a.pool.name).active}; }
Number is_persistent(Call& call, const OfPool& a) {
    call.service().pools.get(a.pool.name);
    return {1};
}
PoolInfo get_info(Call& call, const OfPool& a) {
    constexpr uint32_t inactive = 0, running = 2;
    return {call.service().pools.get(a.pool.name).active ? running : inactive, 0, 0, 0};
}
Text get_xml(Call& call, const PoolFlags& a) {
    const auto pool = call.service().pools.get(a.pool.name);
    return {fmt::format(
        "<pool type='dir'>\n  <name>{}</name>\n  <uuid>{}</uuid>\n  <source>\n  </source>\n  <target>\n"
        "    <path>{}</path>\n  </target>\n</pool>\n",
        model::escape_xml(pool.name), pool.uuid, model::escape_xml(pool.folder))};
}
Number no_volumes(Call& call, const OfPool& a) {
    call.service().pools.get(a.pool.name);
    return {0};
}
SomeNames no_volume_names(Call& call, const PoolNumber& a) {
    call.service().pools.get(a.pool.name);
    return {};
}
struct VolumeListArguments {
    NamedRef pool;
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(pool, need_results, flags)
};
struct EmptyList {
    uint32_t entries = 0, count = 0;
    DOMSNAP_WIRE(entries, count)
};
EmptyList no_volume_list(Call& call, const VolumeListArguments& a) {
    call.service().pools.get(a.pool.name);
    return {};
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
        writes("storage_pool_destroy", destroy),
        writes("storage_pool_undefine", undefine),
        writes("storage_pool_refresh", refresh),
        reads("storage_pool_get_autostart", get_autostart),
        writes("storage_pool_set_autostart", set_autostart),
        reads("storage_pool_is_active", is_active),
        reads("storage_pool_is_persistent", is_persistent),
        reads("storage_pool_get_info", get_info),
        reads("storage_pool_get_xml_desc", get_xml),
        reads("storage_pool_num_of_volumes", no_volumes),
        reads("storage_pool_list_volumes", no_volume_names),
        reads("storage_pool_list_all_volumes", no_volume_list),
    };
}

} // namespace domsnap::rpc
