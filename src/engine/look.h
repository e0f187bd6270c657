// The looks that make up an observation: at image files and folders, at QEMU's block graph, at what memory
// needs. Each adds to the facts; a problem is a fact, not a failure.
#pragma once

#include "engine/observe.h"

namespace domsnap::engine {

/// An image and what lies below it, once each.
void look_at(plan::Facts& facts, std::string path, std::string format);
void look_at_disks(plan::Facts& facts, const model::Domain& domain);
void look_at_points(plan::Facts& facts, const model::SnapshotTree& tree);
/// The folders where files may be made: what is in them, and how much room is left.
void look_at_folders(plan::Facts& facts, const std::vector<NamedFile>& named);

/// The files that domsnap made and that are still there. What somebody put in the place of one is not ours.
void look_at_made_files(plan::Facts& facts, const Session& session);

/// A memory image and what it rests on.
void look_at_image(const Session& session, plan::Facts& facts, std::string path);
/// Those of all snapshots, and others that domsnap made.
void look_at_images(const Session& session, plan::Facts& facts, const model::SnapshotTree& tree);
/// Of which image a new one may store only the difference, and why not of the last.
void look_for_parent_image(plan::Facts& facts, const model::SnapshotTree& tree);

/// Each disk's device and chain, as QEMU has them open.
void look_at_disk_nodes(Session& session, plan::Facts& facts);
/// The file that QEMU writes must be the one that we believe it writes: somebody may have committed or
/// switched behind our back, and a snapshot of the wrong file would be none. Throws conflict.
void check_leaves(const plan::Facts& facts);

/// Whether memory can be taken while the guest runs, and why not.
void look_for_background(Session& session, plan::Facts& facts);
/// Whether what a guest with mapped RAM changed can be read from outside, and is not too much to be copied.
void look_for_changed_ram(Session& session, plan::Facts& facts);
/// Whether the snapshot's guest can run before its memory is there, and be made ready beside the present one.
void look_for_at_once(Session& session, const model::Snapshot& snapshot, plan::Facts& facts);

} // namespace domsnap::engine
