#include "engine/runner.h"

#include "base/error.h"
#include "engine/session.h"
#include "engine/trace.h"
#include "os/file.h"
#include "store/journal.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace domsnap::engine {

using store::Journal;
using store::StepMark;

namespace {

/// How far each step has come, as the journal's marks say.
struct Progressed {
    uint32_t begun = 0, done = 0; ///< numbers of steps
    std::vector<bool> undone;
    bool going_back = false;
};

Progressed read_marks(const store::JournalContent& journal, size_t steps) {
    Progressed state{0, store::steps_done(journal), std::vector<bool>(steps), false};
    for (const auto& entry : journal.entries) {
        if (entry.step >= steps)
            throw Error(ErrorCode::corrupt, "the journal names a step that its plan does not have");
        if (entry.mark == StepMark::begun) state.begun = std::max(state.begun, entry.step + 1);
        if (entry.mark == StepMark::undoing || entry.mark == StepMark::undone) state.going_back = true;
        if (entry.mark == StepMark::undone) state.undone[entry.step] = true;
    }
    return state;
}

/// How far a step came that failed.
struct Attempt {
    bool begun = false;   ///< it may have done something
    bool refused = false; ///< by the world, and not by the journal, which could not be written to
};

void apply_step(World& world, Journal& journal, const plan::Plan& plan, uint32_t step, Attempt& attempt) {
    const TraceStep trace(plan::kind_of(plan.steps[step]));
    journal.mark(StepMark::begun, step);
    attempt = {true, true};
    try {
        world.apply(plan.steps[step]);
    } catch (const Untouched&) {
        attempt.begun = false;
        throw;
    }
    attempt.refused = false;
}

bool lets_a_guest_run(const plan::Action& action) {
    return std::holds_alternative<plan::StartGuest>(action) ||
           std::holds_alternative<plan::ResumeGuest>(action) ||
           std::holds_alternative<plan::RewindGuest>(action);
}

/// Whether the operation is over where this step failed. Not if only the journal did, and the guest stands
/// there ready to run, or runs: the next command knows by the same journal what is left to do.
bool ends_there(const plan::Action& action, const Attempt& attempt) {
    return may_be_left(action) && (attempt.refused || !lets_a_guest_run(action));
}

/// Takes back steps count-1 … 0, but those that are undone already.
void go_back(World& world, Journal& journal, const plan::Plan& plan, uint32_t count,
             const std::vector<bool>& undone) {
    for (uint32_t step = count; step-- > 0;) {
        if (undone[step] || !is_undoable(plan.steps[step])) continue;
        journal.mark(StepMark::undoing, step);
        world.undo(plan.steps[step]);
        journal.mark(StepMark::undone, step);
    }
    journal.close();
}

[[noreturn]] void say_not_taken_back(const Error& first, const Error& second) {
    throw Error(
        ErrorCode::outcome_unknown,
        fmt::format("{}; and it could not be taken back yet: {}", first.what(), second.what()),
        "mend what stands in the way; the next command on this domain, or 'domsnap recover', tries again");
}

/// A step failed before the point of no return was passed.
[[noreturn]] void fail_back(World& world, Journal& journal, const plan::Plan& plan, uint32_t failed,
                            const Error& error) {
    // A file that was there before is somebody else's: its step did nothing and must undo nothing.
    const bool foreign = error.code() == ErrorCode::conflict && makes_a_file(plan.steps[failed]);
    try {
        go_back(world, journal, plan, foreign ? failed : failed + 1, std::vector<bool>(plan.steps.size()));
    } catch (const Error& second) {
        say_not_taken_back(error, second);
    }
    throw error;
}

/// A device state: a run-time file, which goes with its QEMU.
bool is_its_state(const plan::Plan& plan, const std::string& path) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Action& step) {
        const auto* state = std::get_if<plan::PrepareState>(&step);
        return state && state->path == path;
    });
}

/// What a step that may be left leaves behind, in the user's words.
std::string left_behind(const plan::Plan& plan, uint32_t failed) {
    std::string kept;
    for (uint32_t step = failed; step < plan.steps.size(); ++step)
        if (const auto* file = std::get_if<plan::RemoveFile>(&plan.steps[step]);
            file && !is_its_state(plan, file->path))
            kept += (kept.empty() ? "" : ", ") + file->path;
    if (!lets_a_guest_run(plan.steps[failed]))
        return fmt::format(
            "{} of '{}' is done, but {} nothing needs any more: a later snapshot-delete merges "
            "what is left",
            plan.operation, plan.snapshot, kept.empty() ? "a file stays that" : kept + " stay, which");
    if (plan.operation == "start") return "the domain is off";
    return fmt::format("the domain is off now, with its disks as the snapshot has them{}",
                       kept.empty() ? "" : "; its disks until now are kept: " + kept);
}

/// A step failed after it: what is left is either dispensable, or done by recovery.
[[noreturn]] void fail_forward(Journal& journal, const plan::Plan& plan, uint32_t failed,
                               const Attempt& attempt, const Error& error) {
    journal.mark(StepMark::failed, failed, error.what());
    if (ends_there(plan.steps[failed], attempt)) {
        journal.close();
        throw Error(error.code(), fmt::format("{}; {}", error.what(), left_behind(plan, failed)),
                    error.hint());
    }
    throw Error(error.code(), error.what(),
                error.hint().empty() ? "the next command on this domain finishes it" : error.hint());
}

/// Whether a failure there takes everything back. Not if the guest may be gone, or an image's content may
/// have been set back: taking back the rest would leave neither the old world nor the new one, and a crash at
/// that step goes forward too.
bool takes_back(const plan::Plan& plan, uint32_t step, bool begun) {
    return step < plan.point_of_no_return ||
           (step == plan.point_of_no_return && !(begun && is_final(plan.steps[step])));
}

void check_cancel(const plan::Plan& plan, uint32_t step, const Control& control) {
    if (!control.cancelled() || step > plan.point_of_no_return) return;
    throw Error(ErrorCode::cancelled,
                fmt::format("{} of '{}' was cancelled; nothing was changed", plan.operation, plan.snapshot));
}

/// Forward from a step; a failure there ends what may be left. A guest whose QEMU is gone may have run until
/// then, so that what comes after its start is still to be done.
std::vector<std::string> go_forward(World& world, Journal& journal, const plan::Plan& plan, uint32_t from) {
    std::string off;
    for (uint32_t step = from; step < plan.steps.size(); ++step) {
        Attempt attempt;
        try {
            apply_step(world, journal, plan, step, attempt);
        } catch (const Untouched& error) {
            if (step != plan.point_of_no_return) throw;
            go_back(world, journal, plan, step, std::vector<bool>(plan.steps.size()));
            return {fmt::format("took back the interrupted {} of '{}': {}", plan.operation, plan.snapshot,
                                error.what())};
        } catch (const Error& error) {
            if (!ends_there(plan.steps[step], attempt)) throw;
            if (std::holds_alternative<plan::ResumeGuest>(plan.steps[step])) {
                off = fmt::format("; the domain is off: {}", error.what());
                continue;
            }
            journal.close();
            return {fmt::format("finished the interrupted {} of '{}' but for its end: {}; {}", plan.operation,
                                plan.snapshot, error.what(), left_behind(plan, step))};
        }
    }
    journal.close();
    return {fmt::format("finished the interrupted {} of '{}'{}", plan.operation, plan.snapshot, off)};
}

bool goes_forward(const plan::Plan& plan, const Progressed& state) {
    if (state.going_back) return false;
    if (state.done > plan.point_of_no_return) return true;
    // Begun but not known to be done: back if that step can be taken back.
    return state.begun > plan.point_of_no_return && !is_undoable(plan.steps[plan.point_of_no_return]);
}

} // namespace

/// Steps first … last-1, of a plan that nobody has interrupted. That the last one is done is said by the end
/// of the journal, or to who goes on from there.
static void run_steps(World& world, Journal& journal, const plan::Plan& plan, uint32_t first, uint32_t last,
                      const Control& control) {
    for (uint32_t step = first; step < last; ++step) {
        Attempt attempt;
        try {
            check_cancel(plan, step, control);
            apply_step(world, journal, plan, step, attempt);
            if (step + 1 == last && last < plan.steps.size()) journal.mark(StepMark::done, step);
        } catch (const Error& error) {
            if (takes_back(plan, step, attempt.begun)) fail_back(world, journal, plan, step, error);
            fail_forward(journal, plan, step, attempt, error);
        }
    }
}

static bool waits_for_memory(const plan::Action& action) {
    return std::holds_alternative<plan::AwaitCapture>(action);
}

void run_plan(World& world, const plan::Plan& plan, const std::string& journal_path, const Control& control) {
    Journal journal = Journal::open(journal_path, plan::to_json(plan));
    run_steps(world, journal, plan, 0, static_cast<uint32_t>(plan.steps.size()), control);
    journal.close();
}

bool run_plan_to_capture(World& world, const plan::Plan& plan, const std::string& journal_path,
                         const Control& control) {
    Journal journal = Journal::open(journal_path, plan::to_json(plan));
    const auto wait = std::find_if(plan.steps.begin(), plan.steps.end(), waits_for_memory);
    run_steps(world, journal, plan, 0, static_cast<uint32_t>(wait - plan.steps.begin()), control);
    if (wait != plan.steps.end()) return true;
    journal.close();
    return false;
}

void continue_plan(World& world, const std::string& journal_path, const Control& control) {
    const auto content = store::load_journal(journal_path);
    if (!content)
        throw Error(ErrorCode::not_found, fmt::format("{}: no journal to go on with", journal_path));
    Journal journal = Journal::resume(journal_path);
    const plan::Plan plan = plan::plan_from_json(content->plan);
    const Progressed state = read_marks(*content, plan.steps.size());
    run_steps(world, journal, plan, state.done, static_cast<uint32_t>(plan.steps.size()), control);
    journal.close();
}

/// A guest's memory goes on being saved when the command that waits for it is killed: where it became whole,
/// the snapshot is had. Everything before that wait must be done, since what else was read in the one stop is
/// lost with the process.
static bool had_its_capture(World& world, Journal& journal, const plan::Plan& plan, const Progressed& state) {
    if (state.going_back || state.done >= plan.steps.size() || !waits_for_memory(plan.steps[state.done]))
        return false;
    try {
        Attempt attempt;
        apply_step(world, journal, plan, state.done, attempt);
        return true;
    } catch (const Error&) {
        return false; // it did not: back
    }
}

std::vector<std::string> recover_plan(World& world, const std::string& journal_path) {
    if (!os::exists(journal_path)) return {};
    const auto content = store::load_journal(journal_path);
    if (!content) { // its plan was never complete, so nothing had been done
        os::remove_file_durably(journal_path);
        return {};
    }
    Journal journal = Journal::resume(journal_path);
    const plan::Plan plan = plan::plan_from_json(content->plan);
    const Progressed state = read_marks(*content, plan.steps.size());
    if (goes_forward(plan, state)) return go_forward(world, journal, plan, state.done);
    if (had_its_capture(world, journal, plan, state)) return go_forward(world, journal, plan, state.done + 1);
    go_back(world, journal, plan, state.begun, state.undone);
    return {fmt::format("took back the interrupted {} of '{}'", plan.operation, plan.snapshot)};
}

std::vector<std::string> recover(Session& session) {
    if (!os::exists(session.folder().journal())) return {};
    const auto world = real_world(session);
    return recover_plan(*world, session.folder().journal());
}

} // namespace domsnap::engine
