// The files that the domains of a state folder need, for who would remove or overwrite one. Unlike others.h
// it knows no verb's facts: whatever a domain, a snapshot, a fork or a ledger names counts.
#pragma once

#include "engine/session.h"

#include <map>
#include <set>
#include <string>

namespace domsnap::engine {

/// By path: who needs it, in words. Throws if a domain cannot be read: nobody knows then what it needs.
std::map<std::string, std::string> files_in_use(const Folders& folders);
/// The files that guests write to, or will.
std::set<std::string> files_of_guests(const Folders& folders);
/// The formats of disks and of what snapshots froze, as domains and records have them. Leaves out what cannot
/// be read.
std::map<std::string, std::string> formats_in_use(const Folders& folders);

} // namespace domsnap::engine
