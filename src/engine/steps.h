// What each kind of step does in the real world, and what takes it back. One file an idea: steps_files
// (images without a QEMU), steps_images (memory images), steps_switch (the one stop, and memory),
// steps_internal, steps_guest (QEMU itself), steps_pages (a guest that runs before its memory is there),
// steps_in_place (the same QEMU, rewound), steps_open (nodes for that, and the device state), steps_nodes,
// steps_merge, steps_store, warm.
#pragma once

#include "agent/freeze.h"
#include "engine/session.h"
#include "memory/capture.h"
#include "plan/step.h"

#include <map>
#include <optional>

namespace domsnap::engine {

/// What lives from one step to the next within a process; after a crash it is gone, and steps do without.
struct Underway {
    std::optional<memory::CaptureProcess> capture;
    uint64_t expected = 0;                   ///< bytes that the capture may get, for progress
    std::map<std::string, std::string> read; ///< path to content: small files as they were in the one stop
    std::optional<agent::Watch> thaw;
};

void apply(Session& session, Underway& underway, const plan::SwitchDisks& step);
void undo(Session& session, Underway& underway, const plan::SwitchDisks& step);
void apply(Session& session, Underway& underway, const plan::AwaitCapture& step);

void apply(Session& session, Underway& underway, const plan::FreezeGuest& step);
void undo(Session& session, Underway& underway, const plan::FreezeGuest& step);
void apply(Session& session, Underway& underway, const plan::ThawGuest& step);

void apply(Session& session, const plan::HoldGuest& step);
void undo(Session& session, const plan::HoldGuest& step);

void apply(Session& session, const plan::TakeImages& step);
void undo(Session& session, const plan::TakeImages& step);

void apply(Session& session, const plan::MakeOverlay& step);
void undo(Session& session, const plan::MakeOverlay& step);
void apply(Session& session, const plan::CopyImage& step);
void undo(Session& session, const plan::CopyImage& step);
void apply(Session& session, const plan::ReserveImage& step);
void undo(Session& session, const plan::ReserveImage& step);
void apply(Session& session, const plan::RemoveFile& step);
void apply(Session& session, const plan::Rebase& step);
void apply(Session& session, const plan::FoldImage& step);
void apply(Session& session, const plan::NoteFrozen& step);

void apply(Session& session, const plan::MakeHolder& step);
void undo(Session& session, const plan::MakeHolder& step);
void apply(Session& session, const plan::DropNode& step);

void apply(Session& session, Underway& underway, const plan::KeepFile& step);
void undo(Session& session, Underway& underway, const plan::KeepFile& step);
void apply(Session& session, const plan::PutBack& step);
/// While the guest stands still: what later steps keep.
void read_files(Underway& underway, const std::vector<std::string>& files);

void apply(Session& session, const plan::AddNode& step);
void undo(Session& session, const plan::AddNode& step);
void apply(Session& session, const plan::Merge& step);
void apply(Session& session, const plan::CommitActive& step);
void apply(Session& session, const plan::Pull& step);

void apply(Session& session, Underway& underway, const plan::SaveInternal& step);
void undo(Session& session, Underway& underway, const plan::SaveInternal& step);
void apply(Session& session, const plan::CreateInternal& step);
void undo(Session& session, const plan::CreateInternal& step);
void apply(Session& session, const plan::DeleteInternal& step);
void apply(Session& session, const plan::ApplyInternal& step);

void apply(Session& session, const plan::PutDefinition& step);
void undo(Session& session, const plan::PutDefinition& step);
void apply(Session& session, const plan::CopyState& step);
void undo(Session& session, const plan::CopyState& step);
void apply(Session& session, const plan::PutFork& step);
void undo(Session& session, const plan::PutFork& step);

void apply(Session& session, const plan::PutLive& step);
void undo(Session& session, const plan::PutLive& step);
void apply(Session& session, const plan::PutRecord& step);
void undo(Session& session, const plan::PutRecord& step);
void apply(Session& session, const plan::RemoveRecord& step);
void undo(Session& session, const plan::RemoveRecord& step);
void apply(Session& session, const plan::SetCurrent& step);
void undo(Session& session, const plan::SetCurrent& step);

void apply(Session& session, const plan::TryOut& step);
void apply(Session& session, const plan::PrepareGuest& step);
void undo(Session& session, const plan::PrepareGuest& step);
void apply(Session& session, const plan::EndGuest& step);
void apply(Session& session, const plan::KillGuest& step);
void apply(Session& session, const plan::AwaitEnd& step);
void apply(Session& session, const plan::StartGuest& step);
void undo(Session& session, const plan::StartGuest& step);
void apply(Session& session, const plan::ResumeGuest& step);

void apply(Session& session, const plan::OpenImages& step);
void undo(Session& session, const plan::OpenImages& step);
void apply(Session& session, const plan::PrepareState& step);
void undo(Session& session, const plan::PrepareState& step);
void apply(Session& session, const plan::PutWarm& step);
void undo(Session& session, const plan::PutWarm& step);
void apply(Session& session, const plan::RewindGuest& step);
void apply(Session& session, const plan::CloseNodes& step);

/// The name of the internal snapshot in a file that holds a device state.
inline constexpr const char* state_tag = "domsnap";

/// Deletes an internal snapshot wherever the image is: in the running QEMU that has it open under some node,
/// or with qemu-img. Nothing to do if it is not there.
void delete_internal(Session& session, const std::string& path, const std::string& tag,
                     const std::string& job);

/// Waits for a job of QEMU's and dismisses it, reporting progress as what. cancellable: the session's cancel
/// flag is obeyed.
void finish_job(Session& session, const std::string& job, const std::string& what, bool cancellable);

/// Merges the device's present node down into base and pivots to it; the guest runs. cancellable: the
/// session's cancel flag is obeyed.
void commit_active(Session& session, const std::string& target, const std::string& node,
                   const std::string& base_node, const std::string& job, bool cancellable);
/// Undoes a switch onto overlays: merges each back into its base, in the running QEMU or, where none runs, in
/// the files.
void merge_back(Session& session, const std::vector<plan::OverlaySwitch>& overlays);
/// cont, if it ran before and does not now.
void resume_if(Session& session, bool was_running);
/// blockdev-del of a node and its file's node; a node that is not there is as good as deleted.
void drop_node(Session& session, const std::string& node);

} // namespace domsnap::engine
