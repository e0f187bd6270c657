// What this QEMU can do, asked of it and not guessed from its version; and the few defects that no query
// shows.
#pragma once

#include "qmp/client.h"

#include <set>
#include <string>
#include <vector>

namespace domsnap::qmp {

struct Capabilities {
    std::string version; ///< "7.2.22"
    int major = 0, minor = 0;
    std::set<std::string> commands;  ///< query-qmp-schema / query-commands
    std::set<std::string> migration; ///< query-migrate-capabilities
    bool has(const std::string& command) const { return commands.contains(command); }
    bool background_snapshot() const { return migration.contains("background-snapshot"); }
    /// QEMU before 8.0 (seen on 7.2) never wakes a guest whose background-snapshot lost its reader.
    bool background_snapshot_must_be_drained() const { return major < 8; }
};
Capabilities query_capabilities(Client& qemu, Deadline d);

/// The versioned machine type behind an alias ("q35" -> "pc-q35-7.2"), from query-machines; the name itself
/// if it is no alias; empty if QEMU does not know it.
std::string resolve_machine(Client& qemu, const std::string& name, Deadline d);

} // namespace domsnap::qmp
