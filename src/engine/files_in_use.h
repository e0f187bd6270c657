// The files that the domains of a state folder need, for who would remove or overwrite one. Unlike others.h
// it knows no verb's facts: whatever a domain, a snapshot, a fork or a ledger names counts.
#pragma once

#include "engine/session.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace domsnap::engine {

/// By path: who needs it, in words, one for each domain.
using FilesInUse = std::map<std::string, std::vector<std::string>>;
/// Throws if a domain cannot be read: nobody knows then what it needs.
FilesInUse files_in_use(const Folders& folders);
/// The files that guests write to, or will.
std::set<std::string> files_of_guests(const Folders& folders);
/// The format of a disk or of what a snapshot froze, as the first domain or record has it that names the
/// file. Leaves out what cannot be read.
std::optional<std::string> format_in_use(const Folders& folders, const std::string& path);

} // namespace domsnap::engine
