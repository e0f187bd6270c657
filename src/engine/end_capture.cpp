#include "engine/end_capture.h"

#include "base/error.h"
#include "memory/capture.h"
#include "os/userfault.h"

#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::engine {

namespace {

bool is_over(const qmp::Migration& migration) {
    return migration.status.empty() || migration.status == "completed" || has_failed(migration);
}

/// QEMU 7.2 leaves RAM write-protected when the reader of a background-snapshot goes away, and the guest
/// stands still at its next write, for ever (10.0 does not). What went wrong, if it did not work.
std::string free_guest(const Session& session) {
    const auto process = session.process();
    try {
        if (process && os::free_from_userfaultfd(*process))
            session.control().warn(fmt::format(
                "the process that saved the memory of '{}' was killed: its guest was freed", session.name()));
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

/// Gives up when what is looked at has been the same for long.
class Stall {
  public:
    bool passed(uint64_t now) {
        if (now != seen_) deadline_ = for_progress();
        seen_ = now;
        return deadline_.passed();
    }

  private:
    uint64_t seen_ = UINT64_MAX;
    Deadline deadline_ = for_progress();
};

[[noreturn]] void stands_still(const Session& session, const std::string& trouble) {
    throw Error(ErrorCode::outcome_unknown,
                fmt::format("QEMU has not ended the saving of the memory of '{}', and nothing moves{}{}",
                            session.name(), trouble.empty() ? "" : ": ", trouble),
                trouble.empty() ? "if it stays so, 'domsnap destroy' ends it"
                                : "as root, or as the user who started it, 'domsnap recover' can free it");
}

} // namespace

std::optional<qmp::Migration> look_at_migration(Session& session) {
    try {
        return qmp::query_migrate(session.monitor(), for_a_look());
    } catch (const Error& error) {
        session.forget_monitor(); // its late answer would be in the way of the next
        if (error.code() == ErrorCode::outcome_unknown || error.code() == ErrorCode::busy)
            return std::nullopt;
        throw;
    }
}

bool has_failed(const qmp::Migration& migration) {
    return migration.status == "failed" || migration.status == "cancelled";
}

void close_stream(Session& session) {
    try {
        session.monitor().run("closefd", {{"fdname", stream_name}}, quick());
    } catch (const Error&) {
        // migrate took it, or QEMU is gone: either way nobody else holds it.
    }
}

void end_capture(Session& session, const std::string& image) {
    Stall stall;
    for (std::string trouble; session.process();) {
        if (!memory::capture_in_progress(image)) trouble = free_guest(session);
        const auto migration = look_at_migration(session);
        if (migration && is_over(*migration)) break;
        if (stall.passed(migration ? migration->transferred : 0)) stands_still(session, trouble);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (session.process()) close_stream(session);
}

void wait_for_writer(const std::string& image) {
    if (memory::wait_for_capture(image, for_progress())) return;
    throw Error(ErrorCode::busy, fmt::format("{} is still being written", image),
                "its disk may be slow or hang: try again when that is over");
}

} // namespace domsnap::engine
