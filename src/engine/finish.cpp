#include "engine/finish.h"

#include "engine/runner.h"
#include "engine/saving.h"
#include "engine/world.h"
#include "os/signals.h"
#include "store/journal.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace domsnap::engine {

static constexpr const char* program_name = "domsnap-finish";
static constexpr int lock_descriptor = 3;

void hand_over(Session& session) {
    const auto program = os::find_own_program(program_name);
    session.forget_monitor(); // QEMU serves one client at a time
    os::Background spec;
    spec.argv = {program, session.folders().state, session.folders().runtime, session.name()};
    spec.log_path = session.files().folder + "/finish.log";
    spec.passed = {{session.lock().descriptor(), lock_descriptor}};
    spec.in_child = os::ignore_interrupts; // what is ignored stays so across exec
    os::start_background(spec);
}

static void to_log(const std::string& line) { std::fprintf(stderr, "domsnap-finish: %s\n", line.c_str()); }

/// What failed has been taken back by then. Where the journal is left, the next command sees to it, and
/// tells.
static int finish(Session& session) {
    const auto path = session.folder().journal();
    const auto journal = store::load_journal(path);
    if (!journal) return 0;
    const auto plan = plan::plan_from_json(journal->plan);
    try {
        continue_plan(*real_world(session), path, session.control());
        return 0;
    } catch (const Error& error) {
        to_log(error.what());
        note_failed_capture(session, plan, error, true);
        return 1;
    }
}

int finish_main(int argc, const char* const* argv) {
    if (argc != 4) {
        std::fputs("usage: domsnap-finish STATE RUNTIME DOMAIN (domsnap starts it, with descriptor 3)\n",
                   stderr);
        return 2;
    }
    os::ignore_interrupts();
    try {
        Control control;
        control.warning = to_log;
        const std::string name = argv[3];
        auto lock = os::FileLock::handed_over(lock_descriptor,
                                              fmt::format("snapshot-create {} (pid {})", name, ::getpid()));
        Session session({argv[1], argv[2]}, name, std::move(lock), control);
        return finish(session);
    } catch (const Error& error) {
        to_log(error.what());
    }
    return 1;
}

} // namespace domsnap::engine
