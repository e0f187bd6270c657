#include "rpc/procedures.h"

#include "rpc/names.h"

#include <map>

namespace domsnap::rpc {

using Table = std::map<int32_t, Procedure>;

static Table make_table() {
    Table table;
    for (const auto family :
         {connect_family, node_family, domain_family, power_family, snapshot_family, snapshot_list_family,
          job_family, statistics_family, event_family, stream_family, storage_family, volume_family,
          volume_change_family, volume_stream_family, absent_family})
        for (auto& procedure : family()) {
            const auto number = procedure_number(procedure.name);
            if (!number || !table.emplace(number, std::move(procedure)).second)
                throw std::logic_error("a procedure has no number, or two handlers");
        }
    return table;
}

static Table make_qemu_table() {
    Table table;
    for (auto& procedure : qemu_family())
        table.emplace(static_cast<int32_t>(table.size() + 1), std::move(procedure));
    return table;
}

const Procedure* find_procedure(uint32_t program, int32_t number) {
    static const Table remote = make_table(), qemu = make_qemu_table();
    const Table& table = program == program::qemu ? qemu : remote;
    const auto found = table.find(number);
    return found == table.end() ? nullptr : &found->second;
}

bool may_wait(const Header& header) {
    const auto* procedure = find_procedure(header.program, header.procedure);
    return procedure && procedure->access == Access::write;
}

} // namespace domsnap::rpc
