// Forks as their origin and they themselves see them: who rests on a snapshot's files, what a fork's first
// start must find, and what goes with it. And what waits for the next start of a domain that libvirt saved.
#pragma once

#include "engine/session.h"
#include "memory/save_file.h"
#include "model/fork.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::engine {

/// Nothing for a domain that is no fork, and has no memory of libvirt's. Throws corrupt, unsupported.
std::optional<model::Fork> fork_of(const store::DomainFolder& folder);

/// Files that must stay as they are because of somebody else, or of a guest that runs: by path, who that is,
/// in words ("fork 'f1'", "the running guest of 'g'"). Where a note cannot be read, that is thrown.
std::map<std::string, std::vector<std::string>> pinned_files(const Session& session);

/// What a verb that would make the waiting memory worthless says. Throws conflict if there is some.
void refuse_waiting(const View& view, const std::string& verb);
/// The image and the overlays are what they were when the fork was made. Throws conflict, not_found.
void require_waiting_state(const View& view, const model::Fork& fork);

/// The note of such a domain, whose memory was copied from there.
model::Fork note_of_saved(const memory::SaveFile& file, const model::Domain& saved, const std::string& copy,
                          int64_t now);
/// Where the copy lies: in the domain's folder, with which it comes, is renamed and goes.
std::string managed_save_copy(const store::DomainFolder& folder);
/// undefine's part: throws conflict unless it is to go.
void check_undefine_saved(const View& view, const Host::UndefineOptions& options);

/// The files that domsnap made for the fork's disks and that nobody else reads: they end with it.
std::vector<std::string> own_files(const Session& session);

} // namespace domsnap::engine
