// The steps of a plan, as data: what is done, with every name in it, and what takes it back. A step needs no
// other step's result, is done once even if applied twice, and undone once even if undone twice. Nothing here
// does anything.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace domsnap::plan {

/// A new qcow2 overlay file. Undo removes it.
struct MakeOverlay {
    std::string path, backing, backing_format;
    uint64_t size = 0;
};
/// A copy of an image (with its internal snapshots) for content that others still read. Undo removes it.
struct CopyImage {
    std::string from, to;
};
/// An empty private file for the memory image. Undo removes it.
struct ReserveImage {
    std::string path;
};
/// The overlay as an unattached node of the running QEMU. Undo deletes the node.
struct AddNode {
    std::string node, path, format;
};

struct OverlaySwitch {
    std::string target, device, base_node, base_path, base_format, overlay_node, overlay_path;
};
struct InternalPoint {
    std::string target, node, path, tag;
};
/// One stop of the guest: all disks at one point in time, and the capture of memory begun. Undo merges back.
struct SwitchDisks {
    std::vector<OverlaySwitch> overlays;
    std::vector<InternalPoint> internals;
    std::string image;       ///< memory image; "" = disks alone
    std::string parent;      ///< the image of which it stores only the difference; "" = none
    bool background = false; ///< the guest runs on while memory is written
    bool was_running = true;
    std::vector<std::string> read; ///< small files whose content of that instant is kept: see KeepFile
    /// The whole image that the guest's RAM is mapped from, where what it changed is copied in the stop, and
    /// QEMU sends nothing; "" = QEMU's stream.
    std::string mapped;

    /// Memory is written while the guest runs again.
    bool is_live() const { return background || !mapped.empty(); }
};
/// The guest is stopped and stays so when all is done: the user copies a disk then. Undo lets it run on.
struct HoldGuest {
    std::string reason, old; ///< of its state, as `domstate --reason` says it
};
/// Of a paused guest whose memory was saved: QEMU has its images for handed over ("postmigrate") and takes no
/// snapshot of them, until it has them back. Undo stops a guest that runs.
struct TakeImages {};
/// The guest's agent freezes its file systems; in any case they are thawed after so many seconds. Undo thaws.
struct FreezeGuest {
    uint32_t seconds = 0;
};
/// The agent thaws them: now, or when the guest is resumed if it stands still. Never fails: it is tried
/// again.
struct ThawGuest {
    uint32_t seconds = 0;
};
/// Waits until the memory image is whole and durable.
struct AwaitCapture {
    std::string image;
    bool was_running = true;
    bool streamed = true; ///< by QEMU, which then ends a migration
};
/// An empty qcow2 file of ours that will hold internal memory, for domains whose disks cannot. Undo removes
/// it.
struct MakeHolder {
    std::string path;
};
/// Memory and disks into images (QEMU's snapshot-save), and in the same stop other disks onto overlays.
/// disks: every image that gets the internal snapshot; the one of vmstate_node holds the memory. Undo deletes
/// it in each, and merges back.
struct SaveInternal {
    std::string job, tag, vmstate_node;
    std::vector<InternalPoint> disks;
    std::vector<OverlaySwitch> overlays;
    bool was_running = true;
    std::vector<std::string> read; ///< as in SwitchDisks
};
/// A copy of a small file for the snapshot; role: "nvram" or "tpm". in_stop: of what was read in the one
/// stop. Undo removes it.
struct KeepFile {
    std::string from, to, role;
    bool in_stop = false;
};
/// The file gets the content that a snapshot kept; kept "" = there was none, and the file goes.
struct PutBack {
    std::string kept, file, role;
};
/// A small file of a new domain's, with the content that a snapshot of another one kept; role as in KeepFile.
/// Undo removes it.
struct CopyState {
    std::string from, to, role;
};
/// The note of whose snapshot the domain is a fork. Undo puts the old one; "" = none.
struct PutFork {
    std::string text, old;
};
/// The running QEMU lets go of a node. Never undone: the file can be opened again.
struct DropNode {
    std::string node;
};
/// An internal snapshot in an image that no QEMU uses. Undo deletes it.
struct CreateInternal {
    std::string path, tag;
};
struct DeleteInternal {
    std::string path, tag, node, job;
}; ///< node "" = no QEMU uses the image
struct ApplyInternal {
    std::string path, tag;
};

/// old "": the domain is new, and undo leaves nothing of it.
struct PutDefinition {
    std::string text, old;
};
struct PutLive {
    std::string text, old;
}; ///< what the running QEMU uses; nothing to do when none runs
struct PutRecord {
    std::string name, text, old;
};
struct RemoveRecord {
    std::string name, old;
};
struct SetCurrent {
    std::string name, old;
};

/// Whether QEMU would take this domain, learnt from a trial process, and whether every page of the memory
/// image is what was saved.
struct TryOut {
    std::string text, image;
};
/// A second QEMU with the domain's devices, waiting for its guest's memory while the first still runs; where
/// it refuses to run its guest before all of that is there, every page of the image is checked now. Undo ends
/// it. Without it StartGuest starts one itself.
struct PrepareGuest {
    std::string text;
    std::string ram;    ///< the image that its RAM is mapped from, every page of it checked; "" = none
    std::string image;  ///< of a guest that is to run before its memory is there; "" = that is not asked for
    bool tmpfs = false; ///< ram: what is mapped is a copy of it in the host's memory
};
struct EndGuest {
    std::string reason;
};
/// The same where the next QEMU waits beside it, and the two fight over nothing: the guest stands still for
/// good and its QEMU is killed, but the kernel may still take that down when the next step begins.
struct KillGuest {
    std::string reason;
};
/// Returns when the QEMU that KillGuest killed is gone, and its run-time files with it.
struct AwaitEnd {};
/// A QEMU with the guest's memory, as far as it must be there, and with the guest standing still.
struct StartGuest {
    enum class From { boot, memory, internal, state } from = From::boot;
    std::string text;  ///< the domain document that runs
    std::string image; ///< memory: the image; state: the qcow2 file whose internal snapshot holds it
    std::string tag, vmstate_target;  ///< internal; tag: state too
    std::vector<std::string> targets; ///< internal: disks to load
    bool paused = false;              ///< and it is to stay so: no ResumeGuest follows
    std::string reason;
    bool at_once = false; ///< memory: the guest runs first, and its pages come as it asks for them
    bool mapped = false;  ///< memory: its RAM is a private mapping of the image, every page of it checked
    bool tmpfs = false;   ///< mapped: not of the image's file but of a copy in the host's memory
};
/// The guest of the QEMU that StartGuest made, which does not run yet, runs. A step of its own: from then on
/// it may write to its disks, and memory from before must never be loaded onto them again. Never undone.
struct ResumeGuest {};

// Going back in place: the running QEMU's guest becomes the snapshot's.

/// An image as a node of the running QEMU, with its disk's own options, over the node `below` ("" = nothing).
struct OpenedImage {
    std::string target, node, path, format, below;
    bool read_only = true;
};
/// The lowest first. Undo closes them.
struct OpenImages {
    std::vector<OpenedImage> images;
};
/// The device state of a memory image in a small qcow2 file, from which QEMU can load it, and its node. Undo
/// removes both.
struct PrepareState {
    std::string image, path, node;
    std::string flash; ///< the copy of the NVRAM that belongs to it; "" = the guest has none
};
/// What lies ready for the next time that the domain goes back to a snapshot, as text; "" = nothing. A
/// run-time file: nothing to do when no QEMU runs.
struct PutWarm {
    std::string text, old;
};
/// One disk's device goes over to the node of a fresh overlay, which is opened by then.
struct DriveSwitch {
    std::string target, device, drive; ///< QEMU's id of the device, and the object whose "drive" is set
    std::string node, path, backing, backing_format;
    uint64_t size = 0;
};
/// One stop: drives, RAM, device state. If anything goes wrong once the guest's RAM may have been touched,
/// QEMU is ended, the overlays are made anew, what was kept is put back, and `otherwise` is done. Never
/// undone.
struct RewindGuest {
    std::string image, state_node;
    std::vector<DriveSwitch> drives;
    bool was_running = true;
    StartGuest otherwise;
    std::vector<PutBack>
        kept; ///< of a new process only: QEMU itself writes what it loaded into its NVRAM and TPM
};
struct ClosedNode {
    std::string node, path;
};
/// The running QEMU lets go of nodes, in that order; one that has another file open by now stays. Never
/// undone.
struct CloseNodes {
    std::vector<ClosedNode> nodes;
};

/// The overlay's content goes down into its base; QEMU does it if nodes are given. Never undone: both files
/// are valid at every moment, and it can be done again, because no guest writes to either.
struct Merge {
    std::string target, child, child_format, base, base_format, device, top_node, base_node, job;
};
/// The file that the guest writes goes down into its base, and the guest goes on there. In the moment before
/// QEMU pivots both hold the same and nobody writes: then the documents ("" = unchanged) are put. So where no
/// QEMU is left, the definition says which of the two is the disk. Never undone.
struct CommitActive {
    std::string target, child, child_format, base, base_format, top_node, base_node, job, live, definition;
};
/// A base's content comes up into the file that rests on it, which then rests on what was below the base (""
/// = on nothing). Never undone: the file shows the same at every moment, and it can be done again.
struct Pull {
    std::string target, path, format, base, backing, backing_format, node, base_node, backing_node, job;
};
/// Another backing file that holds the same. Nothing to do where it is already the one.
struct Rebase {
    std::string path, format, backing, backing_format;
};
/// A memory image is written anew, resting on `parent` ("" = on none): what lay between comes up into it. The
/// new one is made as `fresh` and takes its place and name. Never undone: both hold the same memory.
struct FoldImage {
    std::string path, parent, fresh;
};
struct RemoveFile {
    std::string path, what;
};

struct FrozenFile {
    std::string path, format; ///< format "" = a memory image
    bool anew = false;        ///< whatever is known of it already; else only if nothing is
};
/// By what the files that the snapshot froze are known again. Never undone: the record is written by then.
struct NoteFrozen {
    std::vector<FrozenFile> files;
};

using Action =
    std::variant<MakeOverlay, CopyImage, ReserveImage, AddNode, SwitchDisks, AwaitCapture, SaveInternal,
                 CreateInternal, DeleteInternal, ApplyInternal, PutDefinition, PutLive, PutRecord,
                 RemoveRecord, SetCurrent, TryOut, EndGuest, StartGuest, Merge, Rebase, RemoveFile,
                 MakeHolder, DropNode, CommitActive, Pull, NoteFrozen, HoldGuest, FreezeGuest, ThawGuest,
                 PrepareGuest, KeepFile, PutBack, TakeImages, FoldImage, OpenImages, PrepareState, PutWarm,
                 RewindGuest, CloseNodes, CopyState, PutFork, ResumeGuest, KillGuest, AwaitEnd>;

struct Plan {
    std::string operation; ///< "snapshot-create", …
    std::string domain, uuid, snapshot;
    std::vector<Action> steps;
    /// The first step that is never undone: a failure or crash before it goes back, from it on forward. May
    /// be steps.size().
    uint32_t point_of_no_return = 0;
    /// From this step on only files that nothing needs any more are merged or removed: a cancel or a failure
    /// there ends the operation, and a later one does what was left.
    uint32_t clean_up = 0;
    std::string guest;  ///< what the guest will feel, in words
    uint64_t space = 0; ///< bytes that may be needed
    std::vector<std::string> warnings;
    std::vector<std::string> afterwards; ///< what is left to the user when all is done
};

/// The journal's name of this kind of step: "make-overlay".
const char* kind_of(const Action& action);

/// The journal's form. from_json throws corrupt for anything that to_json did not write.
std::string to_json(const Plan& plan);
Plan plan_from_json(const std::string& text);

} // namespace domsnap::plan
