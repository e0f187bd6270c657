// Looks at the world once, for the planner: state, disks, block graph, files, abilities. Changes nothing.
#pragma once

#include "engine/session.h"
#include "plan/facts.h"
#include "qmp/commands.h"

#include <string>
#include <vector>

namespace domsnap::engine {

/// A file that a request names itself; format "" for what is no image.
struct NamedFile {
    std::string path, format;
};

/// What a start rests on. Nothing to tell the planner of: throws conflict for what was changed behind our
/// back.
void observe_for_start(const Session& session);
/// What a new snapshot needs to know, of the files too that the request names.
plan::Facts observe_for_create(Session& session, const model::SnapshotTree& tree,
                               const std::vector<NamedFile>& named);
/// What a revert to that snapshot needs: the files of every snapshot, and its memory image verified (not its
/// pages).
plan::Facts observe_for_revert(Session& session, const model::SnapshotTree& tree,
                               const model::Snapshot& snapshot);
/// What taking away what lies ready needs.
plan::Facts observe_warm(Session& session, const model::SnapshotTree& tree);
/// What a delete needs: the files of every snapshot.
plan::Facts observe_for_delete(Session& session, const model::SnapshotTree& tree, const std::string& snapshot,
                               const DeleteOptions& options);

/// "running", "paused", …, from the QEMU that answers; shutoff if none does.
model::SnapshotState observed_state(const qmp::Status& status);

/// The domain's chains as QEMU must open them, by target. Throws naming disk and file.
std::map<std::string, std::vector<machine::ChainImage>> chains_of(const model::Domain& domain);

/// Writes the chain below the disk's source into the document, as <backingStore>: dumpxml of a running
/// domain.
void show_chain(model::Domain& domain, const std::string& target,
                const std::vector<machine::ChainImage>& chain);

/// Bytes of a process's resident memory; 0 if it is gone.
uint64_t resident_memory(const os::ProcessId& process);

} // namespace domsnap::engine
