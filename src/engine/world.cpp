#include "engine/world.h"

#include "engine/steps.h"
#include "qmp/commands.h"

#include <type_traits>

namespace domsnap::engine {

namespace {

template <class Step, class... Kinds>
constexpr bool one_of = (std::is_same_v<Step, Kinds> || ...);

template <class Step>
constexpr bool needs_underway = one_of<Step, plan::SwitchDisks, plan::AwaitCapture, plan::SaveInternal,
                                       plan::KeepFile, plan::FreezeGuest, plan::ThawGuest>;

/// Nothing to take back: they change nothing, or their own undo is another step's.
template <class Step>
constexpr bool leaves_no_trace = one_of<Step, plan::TryOut, plan::AwaitCapture, plan::ThawGuest>;

template <class Step>
constexpr bool final_effect =
    one_of<Step, plan::EndGuest, plan::KillGuest, plan::AwaitEnd, plan::ApplyInternal, plan::Merge,
           plan::CommitActive, plan::Pull, plan::RemoveFile, plan::DeleteInternal, plan::Rebase,
           plan::DropNode, plan::NoteFrozen, plan::PutBack, plan::FoldImage, plan::RewindGuest,
           plan::CloseNodes, plan::ResumeGuest>;

/// Steps that the running QEMU does, and that are done without it where none runs.
bool goes_on_without_qemu(const plan::Action& action) {
    return std::visit(
        []<class Step>(const Step&) {
            return one_of<Step, plan::Merge, plan::CommitActive, plan::Pull, plan::DeleteInternal,
                          plan::DropNode, plan::CloseNodes>;
        },
        action);
}

class RealWorld : public World {
  public:
    explicit RealWorld(Session& session) : session_(session) {}

    /// A QEMU that ends under such a step must not leave it undone, which would leave files that nothing
    /// needs.
    void apply(const plan::Action& action) override {
        const auto process = goes_on_without_qemu(action) ? session_.process() : std::nullopt;
        try {
            do_apply(action);
        } catch (const Error& error) {
            if (!process || error.code() != ErrorCode::io || !has_ended(*process)) throw;
            do_apply(action);
        }
    }

    void undo(const plan::Action& action) override {
        std::visit(
            [this]<class Step>(const Step& step) {
                if constexpr (leaves_no_trace<Step> || final_effect<Step>)
                    (void)step;
                else if constexpr (needs_underway<Step>)
                    engine::undo(session_, underway_, step);
                else
                    engine::undo(session_, step);
            },
            action);
    }

  private:
    /// Its monitor goes a moment before the process.
    bool has_ended(const os::ProcessId& process) {
        session_.forget_monitor();
        try {
            qmp::query_status(session_.monitor(), quick());
            return false; // it was another file that could not be read or written
        } catch (const Error&) {
            return os::wait_until_gone(process, quick());
        }
    }

    void do_apply(const plan::Action& action) {
        std::visit(
            [this]<class Step>(const Step& step) {
                if constexpr (needs_underway<Step>)
                    engine::apply(session_, underway_, step);
                else
                    engine::apply(session_, step);
            },
            action);
    }

    Session& session_;
    Underway underway_;
};

} // namespace

std::unique_ptr<World> real_world(Session& session) { return std::make_unique<RealWorld>(session); }

bool is_undoable(const plan::Action& action) {
    return std::visit([]<class Step>(const Step&) { return !final_effect<Step>; }, action);
}

bool is_final(const plan::Action& action) {
    return std::visit(
        []<class Step>(const Step&) {
            return one_of<Step, plan::EndGuest, plan::KillGuest, plan::ApplyInternal, plan::RewindGuest,
                          plan::ResumeGuest>;
        },
        action);
}

bool makes_a_file(const plan::Action& action) {
    return std::visit(
        []<class Step>(const Step&) {
            return one_of<Step, plan::MakeOverlay, plan::CopyImage, plan::ReserveImage, plan::MakeHolder,
                          plan::KeepFile>;
        },
        action);
}

bool may_be_left(const plan::Action& action) {
    return std::visit(
        []<class Step>(const Step&) {
            return one_of<Step, plan::StartGuest, plan::Merge, plan::CommitActive, plan::Pull,
                          plan::RemoveFile, plan::DeleteInternal, plan::DropNode, plan::FoldImage,
                          plan::RewindGuest, plan::CloseNodes, plan::ResumeGuest>;
        },
        action);
}

} // namespace domsnap::engine
