#include "engine/pages.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
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

/// As QEMU sees where it listens for a new source: a path that is too long for it goes by the folder's
/// descriptor.
std::string as_qemu_sees(const View& view, const std::string& path) {
    return path.size() <= 107
               ? path
               : fmt::format("/proc/self/fd/{}/{}", machine::runtime_folder_descriptor(view.live()),
                             text::base_name(path));
}

std::string listening_path(const View& view) { return view.files().folder + "/pages.sock"; }

/// Until the status is the new server's, another look would find the old one dead again.
void wait_until_told(const std::string& status_file, const os::ProcessId& supervisor) {
    for (const Deadline deadline = for_takeover(); !deadline.passed();) {
        const auto status = memory::read_page_status(status_file);
        if (!status || status->supervisor == supervisor) return;
        if (os::wait_until_gone(supervisor, Deadline::after(std::chrono::milliseconds(5))))
            throw Error(ErrorCode::io,
                        "the new page server ended at once; pages.log in the domain's run-time "
                        "folder may say why");
    }
}

void start_another(Session& session, PageStatus status) {
    // Its own connection and a short patience: while QEMU's main loop waits for a page, it answers nobody.
    auto qemu =
        machine::connect(session.files(), *session.process(), session.definition().uuid, for_takeover());
    const auto migration = wait_until_paused(qemu);
    if (migration == "completed") {
        status.state = State::complete;
        status.done = status.total;
        return memory::write_page_status(session.files().pages(), status);
    }
    if (migration != "postcopy-paused")
        throw Error(ErrorCode::refused_by_qemu, fmt::format("QEMU's migration is '{}'", migration));
    const auto path = listening_path(session);
    auto socket = qmp::recover_incoming(qemu, path, as_qemu_sees(session, path), for_takeover());
    session.control().warn(fmt::format("the process that loads the memory of '{}' from {} was gone; another "
                                       "one goes on",
                                       session.name(), status.image));
    wait_until_told(session.files().pages(), start_serving(session, std::move(socket), status.image, true));
}

} // namespace

os::ProcessId start_serving(const View& view, os::Fd socket, const std::string& image, bool take_over) {
    const auto& files = view.files();
    const auto path = listening_path(view);
    return memory::start_page_supervisor(std::move(socket),
                                         {image,
                                          files.pages(),
                                          files.watch(),
                                          files.folder + "/pages.log",
                                          take_over,
                                          take_over ? memory::BlockFile{} : flash_file(view.live()),
                                          {}},
                                         files.guard(), path, as_qemu_sees(view, path));
}

std::optional<PageStatus> page_status(const View& view) {
    if (!view.process()) return std::nullopt;
    return memory::read_page_status(view.files().pages());
}

void refuse_damaged(const View& view) {
    const auto status = page_status(view);
    if (status && status->state == State::damaged) throw damage(view, *status);
}

void tend_pages(Session& session) {
    try {
        const auto status = page_status(session);
        if (!status || status->state == State::complete || status->goes_on()) return;
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
        if (!status->goes_on()) start_another(session, *status);
        if (!said)
            session.control().warn(
                fmt::format("{} waits until the guest has all of its memory from {}", verb, status->image));
        said = true;
        session.control().report("memory", status->done, status->total);
        if (session.control().cancelled())
            throw Error(ErrorCode::cancelled, fmt::format("{} was cancelled; nothing was changed", verb));
        // A server that is gone may have a supervisor that starts the next.
        const auto& keeper = os::is_alive(status->supervisor) ? status->supervisor : status->server;
        os::wait_until_gone(keeper, Deadline::after(std::chrono::milliseconds(100)));
    }
}

void end_page_server(const machine::RuntimeFiles& files) {
    try {
        // First who would start another. One that it has started and that is not told of ends with its QEMU.
        for (const auto who : {&PageStatus::supervisor, &PageStatus::server})
            if (const auto status = memory::read_page_status(files.pages())) {
                os::signal_process((*status).*who, SIGKILL);
                os::wait_until_gone((*status).*who, for_takeover());
            }
    } catch (const Error&) {
        // It ends with its QEMU.
    }
    os::remove_file_durably(files.pages());
}

} // namespace domsnap::engine
