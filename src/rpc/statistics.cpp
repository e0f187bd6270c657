// A domain in numbers: state, processors, memory, disks.
#include "rpc/domains.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::rpc {

namespace {

uint64_t nanoseconds(Call& call, const DomainInfo& info) {
    return static_cast<uint64_t>(call.host().cpu_seconds(info) * 1e9);
}

struct InfoResult {
    uint32_t state = 0; ///< an unsigned char there, which takes four bytes all the same
    uint64_t max_memory = 0, memory = 0;
    uint32_t vcpus = 0;
    uint64_t cpu_time = 0;
    DOMSNAP_WIRE(state, max_memory, memory, vcpus, cpu_time)
};
InfoResult get_info(Call& call, const OfDomain& arguments) {
    const auto info = call.host().info(key_of(arguments.domain));
    return {static_cast<uint32_t>(numbers_of(info).state), info.max_memory / 1024, info.used_memory / 1024,
            info.vcpus, nanoseconds(call, info)};
}

struct StateResult {
    int32_t state = 0, reason = 0;
    DOMSNAP_WIRE(state, reason)
};
StateResult get_state(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, 0, call.procedure);
    const auto numbers = numbers_of(call.host().info(key_of(arguments.domain)));
    return {numbers.state, numbers.reason};
}

Text get_os_type(Call& call, const OfDomain& a) { return {call.host().info(key_of(a.domain)).os_type}; }
BigNumber get_max_memory(Call& call, const OfDomain& a) {
    return {call.host().info(key_of(a.domain)).max_memory / 1024};
}
Number get_max_vcpus(Call& call, const OfDomain& a) {
    return {static_cast<int32_t>(call.host().info(key_of(a.domain)).vcpus)};
}
Number get_vcpus_flags(Call& call, const DomainFlags& a) {
    constexpr uint32_t live = 1, config = 2, maximum = 4;
    check_flags(a.flags, live | config | maximum, call.procedure);
    const auto info = call.host().info(key_of(a.domain));
    if ((a.flags & live) && !info.active())
        throw Refusal(Code::operation_invalid, Area::domain,
                      "Requested operation is not valid: domain is not running");
    return {static_cast<int32_t>(info.vcpus)};
}

struct ControlInfo {
    uint32_t state = 0, details = 0;
    uint64_t time = 0;
    DOMSNAP_WIRE(state, details, time)
};
ControlInfo get_control_info(Call& call, const DomainFlags& a) {
    check_flags(a.flags, 0, call.procedure);
    if (!call.host().info(key_of(a.domain)).active())
        throw Refusal(Code::operation_invalid, Area::qemu,
                      "Requested operation is not valid: domain is not running");
    const auto job = call.service().jobs.running(a.domain.uuid);
    return {job ? 1u : 0u, 0, 0}; // VIR_DOMAIN_CONTROL_JOB, …_OK
}

struct BlockInfoArguments {
    DomainRef domain;
    std::string path;
    uint32_t flags = 0;
    DOMSNAP_WIRE(domain, path, flags)
};
struct BlockInfo {
    uint64_t allocation = 0, capacity = 0, physical = 0;
    DOMSNAP_WIRE(allocation, capacity, physical)
};
BlockInfo get_block_info(Call& call, const BlockInfoArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto size = call.host().disk_size(key_of(a.domain), a.path);
    return {size.allocation, size.capacity, size.physical};
}

struct MemoryStat {
    int32_t tag = 0;
    uint64_t value = 0;
    DOMSNAP_WIRE(tag, value)
};
struct MemoryStatsResult {
    List<MemoryStat, 1024> stats;
    DOMSNAP_WIRE(stats)
};
struct MemoryStatsArguments {
    DomainRef domain;
    uint32_t max = 0, flags = 0;
    DOMSNAP_WIRE(domain, max, flags)
};
MemoryStatsResult get_memory_stats(Call& call, const MemoryStatsArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto info = call.host().info(key_of(a.domain));
    if (!info.active())
        throw Refusal(Code::operation_invalid, Area::qemu,
                      "Requested operation is not valid: domain is not running");
    constexpr int32_t actual_balloon = 6;
    MemoryStatsResult result;
    if (a.max > 0) result.stats.push_back({actual_balloon, info.used_memory / 1024});
    return result;
}

struct StatsArguments {
    DomainRefs domains;
    uint32_t stats = 0, flags = 0;
    DOMSNAP_WIRE(domains, stats, flags)
};
struct StatsRecord {
    DomainRef domain;
    List<Param, 262144> params;
    DOMSNAP_WIRE(domain, params)
};
struct StatsResult {
    List<StatsRecord, max_list> records;
    DOMSNAP_WIRE(records)
};

/// virDomainStatsTypes
enum : uint32_t {
    state_stats = 1,
    cpu_stats = 2,
    balloon_stats = 4,
    vcpu_stats = 8,
    interface_stats = 16,
    block_stats = 32
};

void add_blocks(StatsRecord& record, Call& call, const DomainInfo& info) {
    const auto disks = call.host().disks(info.name);
    record.params.push_back({"block.count", static_cast<uint32_t>(disks.size())});
    for (size_t i = 0; i < disks.size(); ++i) {
        const auto key = [&](const char* what) { return fmt::format("block.{}.{}", i, what); };
        record.params.push_back({key("name"), disks[i].target});
        if (disks[i].source.empty()) continue;
        record.params.push_back({key("path"), disks[i].source});
        const auto size = call.host().disk_size(info.name, disks[i].target);
        record.params.push_back({key("allocation"), size.allocation});
        record.params.push_back({key("capacity"), size.capacity});
        record.params.push_back({key("physical"), size.physical});
    }
}

StatsRecord record_of(Call& call, const DomainInfo& info, uint32_t wanted) {
    StatsRecord record{ref_of(info), {}};
    auto& params = record.params;
    const auto numbers = numbers_of(info);
    if (wanted & state_stats) {
        params.push_back({"state.state", numbers.state});
        params.push_back({"state.reason", numbers.reason});
    }
    if ((wanted & cpu_stats) && info.active()) params.push_back({"cpu.time", nanoseconds(call, info)});
    if (wanted & balloon_stats) {
        if (info.active()) params.push_back({"balloon.current", info.used_memory / 1024});
        params.push_back({"balloon.maximum", info.max_memory / 1024});
    }
    if (wanted & vcpu_stats) {
        params.push_back({"vcpu.current", info.vcpus});
        params.push_back({"vcpu.maximum", info.vcpus});
    }
    if (wanted & block_stats) add_blocks(record, call, info);
    return record;
}

StatsResult get_all_stats(Call& call, const StatsArguments& a) {
    constexpr uint32_t no_wait = 1u << 29, backing = 1u << 30, enforce = 1u << 31;
    constexpr uint32_t had = state_stats | cpu_stats | balloon_stats | vcpu_stats | block_stats;
    check_flags(a.flags, list_flags::all | no_wait | backing | enforce, call.procedure);
    if ((a.flags & enforce) && (a.stats & ~had))
        throw Refusal(
            Code::config_unsupported, Area::qemu,
            fmt::format("unsupported configuration: Stats types bits {:#x} are not supported by this daemon",
                        a.stats & ~had));
    const uint32_t wanted = a.stats ? a.stats : had;
    StatsResult result;
    if (a.domains.empty())
        for (const auto& info : wanted_domains(call.host(), a.flags & list_flags::all))
            result.records.push_back(record_of(call, info, wanted));
    for (const auto& domain : a.domains)
        result.records.push_back(record_of(call, call.host().info(key_of(domain)), wanted));
    return result;
}

} // namespace

Family statistics_family() {
    return {
        reads("domain_get_info", get_info),
        reads("domain_get_state", get_state),
        reads("domain_get_os_type", get_os_type),
        reads("domain_get_max_memory", get_max_memory),
        reads("domain_get_max_vcpus", get_max_vcpus),
        reads("domain_get_vcpus_flags", get_vcpus_flags),
        reads("domain_get_control_info", get_control_info),
        reads("domain_get_block_info", get_block_info),
        reads("domain_memory_stats", get_memory_stats),
        reads("connect_get_all_domain_stats", get_all_stats),
    };
}

} // namespace domsnap::rpc
