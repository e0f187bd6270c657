// What the planner is told of the world, gathered once by the engine before anything happens.
#pragma once

#include "model/domain.h"
#include "model/snapshot.h"
#include "plan/step.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace domsnap::plan {

/// One image file that matters: named by a record or in a disk's chain.
struct FileFacts {
    std::string path, format;
    std::string backing, backing_format; ///< "" = none
    uint64_t virtual_size = 0, actual_size = 0;
    std::set<std::string> tags; ///< internal snapshots
    std::string problem;        ///< not empty: it cannot be used, and why (missing, damaged, …)
};

/// One disk as the domain uses it now.
struct DiskFacts {
    std::string target;
    std::string device;             ///< QEMU's device id; "" when off
    std::vector<std::string> files; ///< paths of its chain, top first
    std::vector<std::string> nodes; ///< QEMU's nodes for them, in the same order; empty when off
    unsigned next_node = 0;         ///< the first free number for a node name
    bool folder_writable = true;
};

struct MemoryImageFacts {
    std::string problem;       ///< not empty: the image cannot be reverted to, and why
    uint64_t size = 0;         ///< bytes on disk
    std::string parent;        ///< the image that it rests on; "" = none
    bool is_link_known = true; ///< false: nobody can say what it rests on
    std::string hash;          ///< its own; "" = not asked for
};

/// A small file of which every snapshot keeps a copy: the NVRAM, the TPM's permanent state.
struct KeptFacts {
    std::string file;
    bool exists = false; ///< else the next start makes it
    uint64_t size = 0;
};

/// What lies ready in the running QEMU for going back to one snapshot: overlays that nobody writes to yet,
/// and the device state, all of them open.
struct WarmPoint {
    std::string snapshot;
    std::string text;                            ///< as it is written down
    std::map<std::string, OpenedImage> overlays; ///< by target
    std::string state_node, state_path;
};

/// What the running QEMU allows for going back in place. There only if it can at all.
struct InPlaceFacts {
    std::map<std::string, std::string> drives; ///< by target: the object whose "drive" can be set
    std::string folder;                        ///< for run-time files
    std::string process;                       ///< the QEMU: pid and start time
};

struct Facts {
    model::SnapshotState state = model::SnapshotState::shutoff; ///< running, paused, shutoff, crashed
    bool has_process = false;     ///< a QEMU holds the images, whatever its guest's state
    bool handed_over = false;     ///< its images, as it thinks: it saved a paused guest's memory
    std::string reason;           ///< of the state, as it was noted last
    model::Domain definition;     ///< what the next start uses
    model::Domain live;           ///< what runs; equals definition when off
    std::vector<DiskFacts> disks; ///< in live's order
    std::map<std::string, FileFacts> files;
    std::map<std::string, MemoryImageFacts> images; ///< by path: those of snapshots, and what they rest on
    std::set<std::string> made; ///< files that domsnap made for this domain, and which are still those
    /// The user's own files that this domain's guest wrote to until a snapshot froze them.
    std::set<std::string> given;
    /// Files that another domain's chains read, in the same state folder. Empty until a plan would touch a
    /// file that is not only this domain's business: to look costs.
    std::set<std::string> foreign;
    /// Files of snapshots that forks rest on and images that running guests have mapped: who, by path, in
    /// words.
    std::map<std::string, std::vector<std::string>> pinned;
    std::optional<KeptFacts> nvram, tpm; ///< nothing for a domain without
    std::string firmware_folder;         ///< the domain's own, for copies of them
    std::set<std::string> taken;         ///< paths that exist in the folders where files may be made
    /// The memory image of which a new one stores only the difference; "" = there is none.
    std::string parent_image;
    std::string why_whole;            ///< why the last one cannot be that, where there is one
    bool background_snapshot = false; ///< QEMU and host can take memory while the guest runs
    std::string why_not_background;
    /// The whole image that a running guest's RAM is mapped from, where what it changed can be read from
    /// outside; "" = it is not.
    std::string mapped_whole;
    std::string why_not_at_once; ///< why a guest cannot run before all of its memory is there; empty: it can
    std::string why_not_beside;  ///< why the guest that is gone back to cannot be made ready beside the
                                 ///< present one; empty: it can, its disks aside
    std::optional<InPlaceFacts> in_place;
    std::string why_not_in_place;
    std::optional<WarmPoint> warm;
    std::map<std::string, std::string> open_nodes; ///< by file: the format node that QEMU has it open as
    bool has_agent = false;                        ///< a channel of the guest agent's that can be spoken on
    std::string agent_problem;     ///< not empty: the agent cannot freeze the guest's file systems, and why
    std::string memory_folder;     ///< the domain's own, for generated memory images
    uint64_t memory_available = 0; ///< bytes that the host could give; 0 = nobody knows
    uint64_t memory_in_use = 0;    ///< bytes of QEMU's resident memory, at most the guest's
    std::set<std::string> folders; ///< those in which files may be made, and which exist
    std::map<std::string, uint64_t> free_space; ///< bytes, by folder, where files may be made
    int64_t now = 0;                            ///< epoch seconds
    std::string unique;                         ///< drawn at random: job ids

    bool online() const { return model::is_online(state); }
    const FileFacts* file(const std::string& path) const {
        const auto found = files.find(path);
        return found == files.end() ? nullptr : &found->second;
    }
};

} // namespace domsnap::plan
