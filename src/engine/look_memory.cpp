#include "engine/look.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

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

void look_for_background(Session& session, Facts& facts) {
    if (facts.state != model::SnapshotState::running || !host_allows_userfaultfd(facts.why_not_background))
        return;
    try {
        // Only setting it tells: QEMU then checks the host's kernel and how the guest's RAM is mapped.
        qmp::set_migration_capabilities(session.monitor(), {"background-snapshot"}, quick());
        qmp::set_migration_capabilities(session.monitor(), {}, quick());
        facts.background_snapshot = true;
    } catch (const Error& error) {
        facts.why_not_background = error.what();
    }
}

} // namespace domsnap::engine
