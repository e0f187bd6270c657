#include "engine/look.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/changed_source.h"
#include "engine/guest.h"
#include "engine/mapped_image.h"
#include "memory/save_file.h"
#include "os/file.h"
#include "os/host_memory.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap::engine {

using plan::Facts;

static bool host_allows_userfaultfd(std::string& why_not) {
    if (geteuid() == 0 || access("/dev/userfaultfd", R_OK | W_OK) == 0) return true;
    if (text::trim(os::read_file_start("/proc/sys/vm/unprivileged_userfaultfd", 16)) == "1") return true;
    why_not =
        "this user may not use userfaultfd (needs root, /dev/userfaultfd or vm.unprivileged_userfaultfd=1)";
    return false;
}

/// So much of the host's memory may be taken for a copy of what a guest changed.
static constexpr uint64_t most_copied = uint64_t{4} << 30;

/// The whole image, or an Error that says why QEMU must send all instead.
static std::string mapped_whole(Session& session) {
    const auto source = changed_source(session);
    if (const auto blockers = qmp::migration_blockers(session.monitor(), quick()); !blockers.empty())
        throw Error(ErrorCode::unsupported, blockers.front());
    const uint64_t changed = memory::changed_bytes(source);
    if (changed > std::min(most_copied, os::available_memory() / 2))
        throw Error(ErrorCode::unsupported,
                    fmt::format("{} are more than should be copied at once", text::human_size(changed)));
    return source.whole;
}

void look_for_changed_ram(Session& session, Facts& facts) {
    if (facts.state != model::SnapshotState::running || !mapped_ram(session)) return;
    try {
        facts.mapped_whole = mapped_whole(session);
    } catch (const Error& error) {
        facts.why_not_background += fmt::format("; what it changed cannot be copied: {}", error.what());
    }
}

void look_for_background(Session& session, Facts& facts) {
    if (facts.state != model::SnapshotState::running || !host_allows_userfaultfd(facts.why_not_background))
        return;
    try {
        // Only setting it tells: QEMU then checks the host's kernel and how the guest's RAM is mapped.
        qmp::set_migration_capabilities(session.monitor(), {"background-snapshot"}, quick());
        qmp::set_migration_capabilities(session.monitor(), {}, quick());
        facts.background_snapshot = true;
    } catch (const Error& error) {
        const auto ram = mapped_ram(session);
        facts.why_not_background =
            ram && !ram->copy ? fmt::format("its RAM is mapped from {}", ram->image) : error.what();
    }
}

void look_for_at_once(Session& session, const model::Snapshot& snapshot, Facts& facts) {
    if (snapshot.domain.empty()) return; // refused by the planner
    const auto domain = model::domain_from(snapshot.domain.front());
    facts.why_not_beside = machine::beside_problem(domain);
    if (memory::SaveFile::is_one(snapshot.memory.file)) {
        facts.why_not_at_once = "libvirt saved it as a stream";
        return;
    }
    if (!host_allows_userfaultfd(facts.why_not_at_once)) return;
    const auto emulator = emulator_of(session.folders(), domain);
    if (!emulator.capabilities.migration.contains("postcopy-ram"))
        facts.why_not_at_once =
            fmt::format("QEMU {} has no postcopy migration", emulator.capabilities.version);
}

} // namespace domsnap::engine
