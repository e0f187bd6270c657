#include "rpc/domains.h"

#include "base/uuid.h"

#include <fmt/format.h>
#include <map>

namespace domsnap::rpc {

Uuid uuid_bytes(const std::string& uuid) {
    Uuid bytes{};
    std::string hex;
    for (const char c : canonical_uuid(uuid).value_or(""))
        if (c != '-') hex += c;
    for (size_t i = 0; i + 1 < hex.size() && i / 2 < bytes.size(); i += 2)
        bytes[i / 2] = static_cast<uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

std::string uuid_text(const Uuid& uuid) {
    std::string hex;
    for (const uint8_t byte : uuid)
        hex += fmt::format("{:02x}", byte);
    return canonical_uuid(hex).value_or(hex);
}

DomainRef ref_of(const DomainInfo& info) {
    return {info.name, uuid_bytes(info.uuid), static_cast<int32_t>(info.id)};
}

static int32_t reason_in(const std::map<std::string, int32_t>& numbers, const std::string& reason) {
    const auto found = numbers.find(reason);
    return found == numbers.end() ? 0 : found->second;
}

StateNumbers numbers_of(const DomainInfo& info) {
    // virDomainRunningReason and its like, by virsh's words for them.
    static const std::map<std::string, int32_t> running{{"booted", 1},   {"migrated", 2},
                                                        {"restored", 3}, {"from snapshot", 4},
                                                        {"unpaused", 5}, {"crashed", 9}};
    static const std::map<std::string, int32_t> paused{{"user", 1},          {"I/O error", 5},
                                                       {"from snapshot", 7}, {"creating snapshot", 9},
                                                       {"crashed", 10},      {"starting up", 11}};
    static const std::map<std::string, int32_t> off{
        {"shutdown", 1}, {"destroyed", 2}, {"crashed", 3}, {"failed", 6}, {"from snapshot", 7}};
    switch (info.state) {
    case DomainState::running:
        return {1, reason_in(running, info.reason)};
    case DomainState::paused:
    case DomainState::in_error:
        return {3, reason_in(paused, info.reason)};
    case DomainState::crashed:
        return {6, 1};
    case DomainState::shutoff:
        break;
    }
    return {5, reason_in(off, info.reason)};
}

bool is_wanted(const DomainInfo& info, bool has_snapshots, bool has_save, uint32_t flags) {
    namespace f = list_flags;
    const auto group = [&](std::initializer_list<std::pair<uint32_t, bool>> members) {
        bool asked = false, any = false;
        for (const auto& [flag, holds] : members)
            if (flags & flag) {
                asked = true;
                any = any || holds;
            }
        return !asked || any;
    };
    const int32_t state = numbers_of(info).state;
    return group({{f::active, info.active()}, {f::inactive, !info.active()}}) &&
           group({{f::persistent, true}, {f::transient, false}}) &&
           group({{f::running, state == 1},
                  {f::paused, state == 3},
                  {f::shutoff, state == 5},
                  {f::other, state == 6}}) &&
           group({{f::managed_save, has_save}, {f::no_managed_save, !has_save}}) &&
           group({{f::autostart, false}, {f::no_autostart, true}}) &&
           group({{f::has_snapshot, has_snapshots}, {f::no_snapshot, !has_snapshots}}) &&
           group({{f::has_checkpoint, false}, {f::no_checkpoint, true}});
}

std::vector<DomainInfo> wanted_domains(const Host& host, uint32_t flags) {
    const bool by_snapshots = flags & (list_flags::has_snapshot | list_flags::no_snapshot);
    const bool by_saves = flags & (list_flags::managed_save | list_flags::no_managed_save);
    const bool active_only = (flags & list_flags::active) && !(flags & list_flags::inactive);
    std::vector<DomainInfo> wanted;
    for (auto& info : host.list(!active_only))
        if (is_wanted(info, by_snapshots && !host.snapshots(info.name).empty(),
                      by_saves && host.has_managed_save(info.name), flags))
            wanted.push_back(std::move(info));
    return wanted;
}

void no_domain(const std::string& words) {
    throw Refusal(Code::no_domain, Area::qemu, "Domain not found: " + words);
}

} // namespace domsnap::rpc
