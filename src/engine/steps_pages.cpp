// Going back at once: QEMU is made ready beside the old one, takes its place, and runs its guest while a page
// server gives it the rest of its memory.
#include "base/error.h"
#include "engine/guest.h"
#include "engine/in_place.h"
#include "engine/mapped_image.h"
#include "engine/memory_file.h"
#include "engine/pages.h"
#include "engine/steps.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <thread>

namespace domsnap::engine {

namespace {

constexpr const char* stream_name = "domsnap-memory";

/// What the server found out, while QEMU has not said it yet.
void refuse_failed_server(const Session& session) {
    const auto status = memory::read_page_status(session.files().pages());
    if (!status || status->error.empty()) return;
    throw Error(status->state == memory::PageStatus::State::damaged ? ErrorCode::corrupt : ErrorCode::io,
                status->error);
}

/// QEMU has the devices, and everything of RAM that they looked at.
void wait_until_ready(Session& session) {
    for (const Deadline deadline = for_start(); !deadline.passed();) {
        const auto status = qmp::query_status(session.monitor(), deadline);
        if (status.status != "inmigrate") return;
        refuse_failed_server(session);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Error(ErrorCode::outcome_unknown, "QEMU did not take over from the guest's memory image");
}

} // namespace

void apply(Session& session, const plan::PrepareGuest& step) {
    end_prepared_qemu(session);
    if (!step.ram.empty() && !step.tmpfs) require_verified(session, step.ram);
    auto qemu = start_qemu_beside(session, parse_domain(step.text, session.name()), step.ram, step.tmpfs);
    if (!step.ram.empty()) return;
    // All of it will be read first then: better to know now that it can be.
    if (!allow_at_once(session, qemu)) verify_memory(step.image, session.control());
}

void undo(Session& session, const plan::PrepareGuest&) { end_prepared_qemu(session); }

void end_prepared_qemu(const Session& session) {
    const auto next = session.files().next();
    machine::await_killed(next, for_progress());
    if (const auto process = machine::find(next)) machine::end(next, *process, for_end());
    os::remove_tree(next.folder);
}

bool use_prepared_qemu(Session& session, const model::Domain& domain, const std::string& reason) {
    const auto next = session.files().next();
    const auto process = machine::find(next);
    if (!process) return false;
    forget_warm(session,
                session.control()); // of one that ended by itself: what names it goes with its folder
    // Before its folder can be seen: whoever watches reads the reason as soon as the guest is there.
    os::write_file(next.reason(), reason + "\n");
    machine::take_place(domain, session.files());
    // The old one's by now. If that is still ending, who waits for its end finds it there.
    if (!os::exists(next.killed())) os::remove_tree(next.folder);
    session.use_monitor(machine::connect(session.files(), *process, domain.uuid, quick()));
    return true;
}

bool allow_at_once(const Session& session, qmp::Client& qemu) {
    try {
        qmp::set_migration_capabilities(qemu, {"postcopy-ram"}, quick()); // it asks the host's kernel
        return true;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::refused_by_qemu) throw;
        session.control().warn(
            fmt::format("the guest runs only once all of its memory is loaded: {}", error.what()));
        return false;
    }
}

void load_memory_at_once(Session& session, const std::string& image) {
    auto& qemu = session.monitor();
    auto [ours, its] = os::make_socket_pair();
    qmp::give_fd(qemu, stream_name, its.get(), quick());
    its.reset(); // QEMU's end must show it the server's
    qmp::migrate_incoming_fd(qemu, stream_name, quick());
    start_serving(session, std::move(ours), image, false);
    note_own_ram(session.files(), image);
    try {
        wait_until_ready(session);
    } catch (const Error&) {
        refuse_failed_server(session); // where the server knows why, QEMU's end says less
        throw;
    }
}

} // namespace domsnap::engine
