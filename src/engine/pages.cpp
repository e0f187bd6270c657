#include "engine/pages.h"

#include "base/error.h"
#include "base/text.h"
#include "memory/page_process.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::engine {

using memory::PageStatus;
using State = PageStatus::State;

namespace {

Deadline for_takeover() { return Deadline::after(std::chrono::seconds(20)); }

Error damage(const View& view, const PageStatus& status) {
    return {ErrorCode::corrupt,
            fmt::format("domain '{}' stands still: {}", text::printable(view.name()), status.error),
            fmt::format("revert it to another snapshot, or: domsnap destroy {}", view.name())};
}

/// QEMU notices at once that its source is gone, but its main loop may be busy.
std::string wait_until_paused(qmp::Client& qemu) {
    for (const Deadline deadline = for_takeover();;) {
        const auto status = qmp::query_migrate(qemu, deadline).status;
        if (status != "active" && status != "postcopy-active" && status != "device") return status;
        if (deadline.passed())
            throw Error(ErrorCode::timed_out, "QEMU does not notice that its page server is gone");
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

/// QEMU listens there for a new source. A path that is too long for it goes by the folder's descriptor.
os::Fd reconnect(Session& session, qmp::Client& qemu) {
    const auto path = session.files().folder + "/pages.sock";
    const auto seen = path.size() <= 107 ? path
                                         : fmt::format("/proc/self/fd/{}/pages.sock",
                                                       machine::runtime_folder_descriptor(session.live()));
    try {
        os::remove_file_durably(path);
        qemu.run_out_of_band("migrate-recover", {{"uri", "unix:" + seen}}, for_takeover());
    } catch (const Error& error) {
        if (error.code() != ErrorCode::refused_by_qemu || !os::exists(path)) throw;
    }
    auto socket = os::connect_unix(path, for_takeover());
    os::remove_file_durably(path);
    return socket;
}

/// Until the status is the new server's, another look would find the old one dead again.
void wait_until_told(const std::string& status_file, const os::ProcessId& server) {
    for (const Deadline deadline = for_takeover(); !deadline.passed();) {
        const auto status = memory::read_page_status(status_file);
        if (!status || status->server == server) return;
        if (os::wait_until_gone(server, Deadline::after(std::chrono::milliseconds(5))))
            throw Error(ErrorCode::io, "the new page server ended at once; pages.log in the domain's run-time "
                                       "folder may say why");
    }
}

void start_another(Session& session, PageStatus status) {
    // Its own connection and a short patience: while QEMU's main loop waits for a page, it answers nobody.
    auto qemu = machine::connect(session.files(), *session.process(), session.definition().uuid, for_takeover());
    const auto migration = wait_until_paused(qemu);
    if (migration == "completed") {
        status.state = State::complete;
        status.done = status.total;
        return memory::write_page_status(session.files().pages(), status);
    }
    if (migration != "postcopy-paused")
        throw Error(ErrorCode::refused_by_qemu, fmt::format("QEMU's migration is '{}'", migration));
    auto socket = reconnect(session, qemu);
    session.control().warn(fmt::format("the process that loads the memory of '{}' from {} was gone; another "
                                       "one goes on",
                                       session.name(), status.image));
    const auto& files = session.files();
    const auto server = memory::start_page_server(
        std::move(socket), {status.image, files.pages(), files.watch(), files.folder + "/pages.log", true});
    wait_until_told(files.pages(), server);
}

} // namespace

std::optional<PageStatus> page_status(const View& view) {
    if (!view.process()) return std::nullopt;
    return memory::read_page_status(view.files().pages());
}

bool is_served(const PageStatus& status) {
    return status.state == State::loading && os::is_alive(status.server);
}

void refuse_damaged(const View& view) {
    const auto status = page_status(view);
    if (status && status->state == State::damaged) throw damage(view, *status);
}

void tend_pages(Session& session) {
    try {
        const auto status = page_status(session);
        if (!status || status->state == State::complete || is_served(*status)) return;
        if (status->state == State::damaged) return session.control().warn(damage(session, *status).what());
        start_another(session, *status);
    } catch (const Error& error) {
        session.control().warn(
            fmt::format("the memory of '{}' is not all there, and cannot be loaded: {}; destroy it and "
                        "revert again if it stands still",
                        session.name(), error.what()));
    }
}

void wait_for_pages(Session& session, const std::string& verb) {
    bool said = false;
    for (;;) {
        const auto status = page_status(session);
        if (!status || status->state == State::complete) return;
        if (status->state == State::damaged) throw damage(session, *status);
        if (!is_served(*status)) start_another(session, *status);
        if (!said)
            session.control().warn(fmt::format("{} waits until the guest has all of its memory from {}", verb,
                                               status->image));
        said = true;
        session.control().report("memory", status->done, status->total);
        if (session.control().cancelled())
            throw Error(ErrorCode::cancelled, fmt::format("{} was cancelled; nothing was changed", verb));
        os::wait_until_gone(status->server, Deadline::after(std::chrono::milliseconds(100)));
    }
}

void end_page_server(const machine::RuntimeFiles& files) {
    try {
        const auto status = memory::read_page_status(files.pages());
        if (status) os::signal_process(status->server, SIGKILL);
        if (status) os::wait_until_gone(status->server, for_takeover());
    } catch (const Error&) {
        // It ends with its QEMU.
    }
    os::remove_file_durably(files.pages());
}

} // namespace domsnap::engine
