// Snapshots listed and found: the tree as it is, nothing changed.
#include "rpc/domains.h"
#include "ui/snapshots.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

/// virDomainSnapshotListFlags; the first bit is "roots" for a domain, "descendants" for a snapshot.
enum : uint32_t {
    roots_or_descendants = 1,
    metadata = 2,
    leaves = 4,
    no_leaves = 8,
    no_metadata = 16,
    inactive = 32,
    active = 64,
    disk_only = 128,
    internal = 256,
    external = 512,
    topological = 1024,
    all_flags = 2047,
};

ui::SnapshotFilter filter_of(uint32_t flags) {
    ui::SnapshotFilter filter;
    filter.metadata = flags & metadata;
    filter.leaves = flags & leaves;
    filter.no_leaves = flags & no_leaves;
    filter.no_metadata = flags & no_metadata;
    filter.inactive = flags & inactive;
    filter.active = flags & active;
    filter.disk_only = flags & disk_only;
    filter.internal = flags & internal;
    filter.external = flags & external;
    filter.topological = flags & topological;
    return filter;
}

/// libvirt's clients know no snapshot that is not one yet.
std::vector<SnapshotInfo> complete_ones(Call& call, const std::string& domain) {
    auto all = call.host().snapshots(domain);
    std::erase_if(all, [](const SnapshotInfo& snapshot) { return snapshot.state == "saving"; });
    return all;
}

std::vector<SnapshotInfo> of_domain(Call& call, const DomainRef& domain, uint32_t flags) {
    check_flags(flags, all_flags, call.procedure);
    auto filter = filter_of(flags);
    filter.roots = flags & roots_or_descendants;
    return ui::select(complete_ones(call, key_of(domain)), filter);
}

std::vector<SnapshotInfo> below(Call& call, const SnapshotRef& snapshot, uint32_t flags) {
    check_flags(flags, all_flags, call.procedure);
    auto filter = filter_of(flags);
    filter.from = snapshot.name;
    filter.descendants = flags & roots_or_descendants;
    const auto key = key_of(snapshot.domain);
    call.host().snapshot_info(key, snapshot.name); // must exist
    return ui::select(complete_ones(call, key), filter);
}

struct SnapshotList {
    SnapshotRefs snapshots;
    int32_t count = 0;
    DOMSNAP_WIRE(snapshots, count)
};

SnapshotList list_of(const std::vector<SnapshotInfo>& found, const DomainRef& domain, bool need_results) {
    SnapshotList list;
    list.count = static_cast<int32_t>(found.size());
    if (need_results)
        for (const auto& info : found)
            list.snapshots.push_back({info.name, domain});
    return list;
}

SomeNames names_of(const std::vector<SnapshotInfo>& found, int32_t max) {
    SomeNames names;
    const auto count =
        std::min<size_t>(found.size(), static_cast<size_t>(std::clamp<int32_t>(max, 0, max_list)));
    for (size_t i = 0; i < count; ++i)
        names.names.push_back(found[i].name);
    return names;
}

Number count(const std::vector<SnapshotInfo>& found) { return {static_cast<int32_t>(found.size())}; }

struct ListArguments {
    DomainRef domain;
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, need_results, flags)
};
SnapshotList list_all(Call& call, const ListArguments& a) {
    return list_of(of_domain(call, a.domain, a.flags), a.domain, a.need_results);
}

struct ChildListArguments {
    SnapshotRef snapshot;
    int32_t need_results = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(snapshot, need_results, flags)
};
SnapshotList list_all_children(Call& call, const ChildListArguments& a) {
    return list_of(below(call, a.snapshot, a.flags), a.snapshot.domain, a.need_results);
}

Number num(Call& call, const DomainFlags& a) { return count(of_domain(call, a.domain, a.flags)); }
Number num_children(Call& call, const SnapshotFlags& a) { return count(below(call, a.snapshot, a.flags)); }

struct NameArguments {
    DomainRef domain;
    int32_t max = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, max, flags)
};
SomeNames list_names(Call& call, const NameArguments& a) {
    return names_of(of_domain(call, a.domain, a.flags), a.max);
}

struct ChildNameArguments {
    SnapshotRef snapshot;
    int32_t max = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(snapshot, max, flags)
};
SomeNames list_children_names(Call& call, const ChildNameArguments& a) {
    return names_of(below(call, a.snapshot, a.flags), a.max);
}

OfSnapshot lookup(Call& call, const DomainText& a) {
    check_flags(a.flags, 0, call.procedure);
    return {{call.host().snapshot_info(key_of(a.domain), a.text).name, a.domain}};
}

OfSnapshot current(Call& call, const DomainFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto name = call.host().snapshot_current(key_of(a.domain));
    if (name.empty())
        throw Refusal(Code::no_snapshot, Area::snapshot,
                      "Domain snapshot not found: the domain does not have a current snapshot");
    return {{name, a.domain}};
}

Number has_current(Call& call, const DomainFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    return {!call.host().snapshot_current(key_of(a.domain)).empty()};
}

OfSnapshot parent(Call& call, const SnapshotFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto name = call.host().snapshot_info(key_of(a.snapshot.domain), a.snapshot.name).parent;
    // Clients take exactly this number for "it is a root".
    if (name.empty())
        throw Refusal(
            Code::no_snapshot, Area::snapshot,
            fmt::format("Domain snapshot not found: snapshot '{}' does not have a parent", a.snapshot.name));
    return {{name, a.snapshot.domain}};
}

Number is_current(Call& call, const SnapshotFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    return {call.host().snapshot_info(key_of(a.snapshot.domain), a.snapshot.name).current};
}

Number has_metadata(Call& call, const SnapshotFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    call.host().snapshot_info(key_of(a.snapshot.domain), a.snapshot.name);
    return {1};
}

} // namespace

Family snapshot_list_family() {
    return {
        reads("domain_list_all_snapshots", list_all),
        reads("domain_snapshot_list_all_children", list_all_children),
        reads("domain_snapshot_num", num),
        reads("domain_snapshot_num_children", num_children),
        reads("domain_snapshot_list_names", list_names),
        reads("domain_snapshot_list_children_names", list_children_names),
        reads("domain_snapshot_lookup_by_name", lookup),
        reads("domain_snapshot_current", current),
        reads("domain_has_current_snapshot", has_current),
        reads("domain_snapshot_get_parent", parent),
        reads("domain_snapshot_is_current", is_current),
        reads("domain_snapshot_has_metadata", has_metadata),
    };
}

} // namespace domsnap::rpc
