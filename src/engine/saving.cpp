#include "engine/saving.h"

#include "base/clock.h"
#include "base/text.h"
#include "os/file.h"
#include "plan/step.h"
#include "store/journal.h"
#include "xml/snapshot.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

using memory::CaptureStatus;
using State = CaptureStatus::State;

namespace {

template <class Step>
const Step* find_step(const plan::Plan& plan, uint32_t* number = nullptr) {
    for (uint32_t at = 0; at < plan.steps.size(); ++at)
        if (const auto* step = std::get_if<Step>(&plan.steps[at])) {
            if (number) *number = at;
            return step;
        }
    return nullptr;
}

/// Somebody works on the domain. Without it the journal is what a crash left.
bool is_at_work(const View& view) {
    return !os::FileLock::try_take(view.folder().lock_path(), os::LockMode::shared, {});
}

std::optional<Saving> saving_from(const plan::Plan& plan, const store::JournalContent& journal) {
    uint32_t switched = 0;
    const auto* await = find_step<plan::AwaitCapture>(plan);
    const auto* record = find_step<plan::PutRecord>(plan);
    if (!await || !record || !find_step<plan::SwitchDisks>(plan, &switched)) return std::nullopt;
    if (store::steps_done(journal) <= switched) return std::nullopt;
    Saving found;
    for (const auto& entry : journal.entries)
        found.ending |= entry.mark == store::StepMark::undoing || entry.mark == store::StepMark::undone;
    found.image = await->image;
    found.text = record->text;
    found.snapshot = xml::parse_snapshot(record->text, {.redefine = true, .disk_only = false, .record = true},
                                         plan.snapshot);
    return found;
}

std::optional<CaptureStatus> any_status(const View& view) {
    try {
        return memory::read_capture_status(view.files().capture());
    } catch (const Error&) {
        return std::nullopt; // it is only told of, nothing rests on it
    }
}

void tell(const View& view, const CaptureStatus& status) {
    try {
        memory::write_capture_status(view.files().capture(), status);
    } catch (const Error&) {
        // The log of the process that failed has it, too.
    }
}

} // namespace

std::optional<Saving> saving(const View& view) {
    try {
        const auto journal = store::load_journal(view.folder().journal());
        if (!journal || !is_at_work(view)) return std::nullopt;
        auto found = saving_from(plan::plan_from_json(journal->plan), *journal);
        if (found) found->status = capture_status(view, found->image);
        return found;
    } catch (const Error&) {
        return std::nullopt; // who recovers tells what is wrong with the journal
    }
}

std::string words_of_saving(const View& view) {
    const auto found = saving(view);
    if (!found) return {};
    const auto percent =
        found->total() ? fmt::format(" ({} %)", 100 * found->done() / found->total()) : std::string{};
    return fmt::format("the capture of snapshot '{}'{}", text::printable(found->snapshot.name), percent);
}

std::optional<CaptureStatus> capture_status(const View& view, const std::string& image) {
    auto status = any_status(view);
    if (status && status->image != image) status.reset();
    return status;
}

bool is_unwanted(const View& view, const std::string& image) {
    return os::read_own_file(view.files().capture_abort(), 64 << 10) == image;
}

void forget_captures(const View& view) {
    for (const auto& path : {view.files().capture(), view.files().capture_abort()})
        if (os::exists(path)) os::remove_file_durably(path);
}

void note_failed_capture(const View& view, const plan::Plan& plan, const Error& error, bool untold) {
    const auto* await = find_step<plan::AwaitCapture>(plan);
    auto status = await ? capture_status(view, await->image) : std::nullopt;
    if (!status || os::exists(view.folder().journal())) return;
    status->state = error.code() == ErrorCode::cancelled ? State::cancelled : State::failed;
    status->snapshot = plan.snapshot;
    status->error = error.what();
    status->hint = error.hint();
    status->untold = untold;
    if (status->ended == 0) status->ended = since_epoch<std::chrono::milliseconds>();
    tell(view, *status);
}

void tell_failed_capture(const Session& session) {
    if (!session.control().warning) return; // another command has somebody who listens
    auto status = any_status(session);
    if (!status || !status->untold) return;
    session.control().warn(fmt::format("snapshot '{}' was not taken: {}{}", text::printable(status->snapshot),
                                       status->error, status->hint.empty() ? "" : " (" + status->hint + ")"));
    status->untold = false;
    tell(session, *status);
}

} // namespace domsnap::engine
