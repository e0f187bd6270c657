// The machine that the domains run on.
#include "rpc/procedures.h"

#include <algorithm>

namespace domsnap::rpc {

namespace {

struct InfoResult {
    WideText32 model;
    uint64_t memory = 0;
    int32_t cpus = 0, mhz = 0, nodes = 0, sockets = 0, cores = 0, threads = 0;
    DOMSNAP_WIRE(model, memory, cpus, mhz, nodes, sockets, cores, threads)
};

int32_t number(unsigned value) { return static_cast<int32_t>(value); }

InfoResult get_info(Call& call, const Nothing&) {
    const auto node = call.host().node();
    return {{node.arch}, node.memory / 1024,   number(node.cpus),  number(node.mhz),
            1,           number(node.sockets), number(node.cores), number(node.threads)};
}

BigNumber get_free_memory(Call& call, const Nothing&) { return {call.host().node().free_memory}; }

struct CellsArguments {
    int32_t start = 0, max = 0;
    DOMSNAP_WIRE(start, max)
};
struct Cells {
    List<uint64_t, 1024> free;
    DOMSNAP_WIRE(free)
};
Cells get_cells_free_memory(Call& call, const CellsArguments& a) {
    if (a.start != 0)
        throw Refusal(Code::internal_error, Area::qemu, "internal error: there is one NUMA cell, number 0");
    Cells cells;
    if (a.max > 0) cells.free.push_back(call.host().node().free_memory);
    return cells;
}

struct Stat {
    std::string field;
    uint64_t value = 0;
    DOMSNAP_WIRE(field, value)
};
struct StatsResult {
    List<Stat, 16> params;
    int32_t count = 0;
    DOMSNAP_WIRE(params, count)
};
struct MemoryStatsArguments {
    int32_t count = 0, cell = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(count, cell, flags)
};
/// Clients ask first with no room, to learn how much they need.
StatsResult get_memory_stats(Call& call, const MemoryStatsArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto node = call.host().node();
    StatsResult result;
    result.count = 2;
    if (a.count >= 2) result.params = {{"total", node.memory / 1024}, {"free", node.free_memory / 1024}};
    return result;
}

struct CpuMapArguments {
    int32_t need_map = 0, need_online = 0;
    uint32_t flags = 0;
    DOMSNAP_WIRE(need_map, need_online, flags)
};
struct CpuMap {
    Bytes map;
    uint32_t online = 0;
    int32_t cpus = 0;
    DOMSNAP_WIRE(map, online, cpus)
};
CpuMap get_cpu_map(Call& call, const CpuMapArguments& a) {
    check_flags(a.flags, 0, call.procedure);
    const auto cpus = call.host().node().cpus;
    CpuMap result{{}, cpus, number(cpus)};
    if (!a.need_map) return result;
    result.map.data.assign((cpus + 7) / 8, '\0');
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        char& byte = result.map.data[cpu / 8];
        byte = static_cast<char>(static_cast<unsigned char>(byte) | 1u << cpu % 8);
    }
    return result;
}

struct SecurityModel {
    WideText model, doi;
    DOMSNAP_WIRE(model, doi)
};
// As a libvirt without SELinux and AppArmor says it.
SecurityModel get_security_model(Call&, const Nothing&) { return {{"none"}, {"0"}}; }

} // namespace

Family node_family() {
    return {
        reads("node_get_info", get_info),
        reads("node_get_free_memory", get_free_memory),
        reads("node_get_cells_free_memory", get_cells_free_memory),
        reads("node_get_memory_stats", get_memory_stats),
        reads("node_get_cpu_map", get_cpu_map),
        reads("node_get_security_model", get_security_model),
    };
}

} // namespace domsnap::rpc
