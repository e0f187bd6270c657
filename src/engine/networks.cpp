#include "engine/networks.h"

#include "os/guard.h"

namespace domsnap::engine {

model::Domain on_networks(const Folders& folders, model::Domain domain, machine::Purpose purpose) {
    os::guard_folder(folders.state);
    return machine::with_networks(std::move(domain), folders.state + "/networks", purpose);
}

void require_networks(const Folders& folders, const model::Snapshot& snapshot) {
    if (snapshot.memory.location == model::Location::no || snapshot.domain.empty()) return;
    static_cast<void>(
        on_networks(folders, model::domain_from(snapshot.domain.front()), machine::Purpose::memory));
}

} // namespace domsnap::engine
