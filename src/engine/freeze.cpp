#include "engine/freeze.h"

#include "agent/freeze.h"
#include "base/error.h"
#include "engine/deadlines.h"
#include "engine/steps.h"
#include "machine/agent_channel.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

using namespace std::chrono_literals;

/// Names the very QEMU whose guest is frozen: another one boots or is restored anew.
std::string note_path(const Session& session) { return session.files().folder + "/frozen"; }

void note(Session& session) {
    if (const auto process = session.process()) os::write_file(note_path(session), os::to_text(*process));
}

bool is_noted(const Session& session) {
    const auto process = session.process();
    return process && os::exists(note_path(session)) &&
           os::process_id_from_text(os::read_file_start(note_path(session), 64)) == process;
}

void forget(Session& session) {
    if (os::exists(note_path(session))) os::remove_file_durably(note_path(session));
}

std::optional<std::string> socket_of(const Session& session) {
    return machine::agent_socket(session.live(), session.files().folder);
}

std::string log_of(const Session& session) { return session.files().folder + "/thaw.log"; }

/// Asked before anything is made, and not for long: an agent that runs answers at once.
std::string problem_of(const std::string& socket) {
    try {
        return agent::is_frozen(socket, Deadline::after(10s))
                   ? "the guest's file systems are frozen already, by somebody else"
                   : "";
    } catch (const Error& error) {
        return error.what();
    }
}

} // namespace

void look_at_agent(Session& session, plan::Facts& facts) {
    const auto socket = machine::agent_socket(facts.live, session.files().folder);
    facts.has_agent = socket.has_value();
    if (socket && facts.state == model::SnapshotState::running) facts.agent_problem = problem_of(*socket);
}

void thaw_guest(Session& session) {
    const auto socket = session.process() ? socket_of(session) : std::nullopt;
    if (!socket) return forget(session);
    try {
        if (!qmp::query_status(session.monitor(), quick()).running) return note(session);
        agent::thaw(*socket, Deadline::after(20s));
        forget(session);
    } catch (const Error& error) {
        note(session);
        session.control().warn(
            fmt::format("the guest's file systems may still be frozen: {}; a process goes on "
                        "asking its agent to thaw them, and so does 'resume'",
                        error.what()));
        agent::Watch::start(*socket, 0s, log_of(session)); // gone at once, so it begins at once
    }
}

void thaw_if_noted(Session& session) {
    if (is_noted(session)) thaw_guest(session);
}

void apply(Session& session, Underway& underway, const plan::FreezeGuest& step) {
    const auto socket = socket_of(session);
    if (!socket)
        throw Error(ErrorCode::unsupported, "argument unsupported: QEMU guest agent is not configured");
    const std::chrono::seconds patience(step.seconds);
    underway.thaw.emplace(agent::Watch::start(*socket, patience, log_of(session)));
    if (agent::freeze(*socket, quick().or_sooner(patience)) == 0)
        session.control().warn("the guest agent found no file system to freeze");
}

void undo(Session& session, Underway& underway, const plan::FreezeGuest&) {
    session.forget_monitor();
    thaw_guest(session);
    if (underway.thaw) underway.thaw->release();
    underway.thaw.reset();
}

void apply(Session& session, Underway& underway, const plan::ThawGuest&) {
    thaw_guest(session);
    // Only now: were we killed before, the other process would thaw. A guest that stands still is not its
    // business.
    const bool in_time = !underway.thaw || underway.thaw->release();
    underway.thaw.reset();
    if (!in_time)
        session.control().warn(
            "the guest's file systems were thawed before all was taken, because it took too "
            "long: they may not be at rest in this snapshot");
}

} // namespace domsnap::engine
