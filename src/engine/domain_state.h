// What a domain is at this moment, as its files and its QEMU say. Takes no lock, changes nothing.
#pragma once

#include "engine/session.h"
#include "os/process.h"

#include <domsnap/host.h>
#include <optional>
#include <vector>

namespace domsnap::engine {

struct DomainLook {
    DomainInfo info;
    std::optional<os::ProcessId> process;
    bool answered = true; ///< else QEMU is there, but did not say what its guest does
};
DomainLook look_at(const View& view);
std::vector<DomainInfo> look_at_all(const Folders& folders); ///< by name

} // namespace domsnap::engine
