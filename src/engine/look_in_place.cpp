#include "engine/in_place.h"
#include "engine/look.h"
#include "engine/pages.h"

#include "base/error.h"
#include "base/text.h"
#include "machine/devices.h"
#include "os/foreign_memory.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::engine {

namespace {

/// "", or why this process's guest must be left as it is.
std::string process_problem(Session& session) {
    const auto status = qmp::query_status(session.monitor(), quick()).status;
    if (status != "running" && status != "paused") return fmt::format("the guest's state is '{}'", status);
    if (const auto pages = page_status(session); pages && pages->state != memory::PageStatus::State::complete)
        return "its memory is still being loaded";
    const auto migration = qmp::query_migrate(session.monitor(), quick()).status;
    for (const auto* over : {"", "none", "completed", "failed", "cancelled"})
        if (migration == over) return {};
    return fmt::format("its memory is on its way (QEMU's migration is '{}')", migration);
}

/// Rights over the process are learnt by using them.
void try_memory(Session& session, const os::ProcessId& process, uint64_t size) {
    const os::ForeignMemory memory(process);
    const auto ram = qmp::ram_address(session.monitor(), quick());
    char byte = 0;
    memory.read(ram, &byte, 1);
    const auto mapping = memory.mapping_of(ram, size);
    if (!mapping || mapping->shared)
        throw Error(ErrorCode::unsupported, "its memory is not one private mapping");
}

} // namespace

void look_for_in_place(Session& session, plan::Facts& facts) {
    const auto process = session.process();
    if (!process) return;
    try {
        facts.why_not_in_place = process_problem(session);
        if (!facts.why_not_in_place.empty()) return;
        try_memory(session, *process, facts.live.memory);
    } catch (const Error& error) {
        facts.why_not_in_place = error.what();
        return;
    }
    facts.in_place.emplace();
    facts.in_place->folder = session.files().folder;
    facts.in_place->process = text::trim(os::to_text(*process));
    for (const auto& disk : facts.live.disks)
        if (const auto path = machine::drive_path(facts.live, disk.target); !path.empty())
            facts.in_place->drives[disk.target] = path;
}

} // namespace domsnap::engine
