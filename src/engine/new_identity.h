// Who a new domain is: a UUID and MAC addresses that no domain of the state folder has.
#pragma once

#include "engine/session.h"
#include "plan/fork_document.h"

#include <set>
#include <string>

namespace domsnap::engine {

std::string new_uuid();

class NewIdentities {
  public:
    /// Looks at every domain once.
    explicit NewIdentities(const Folders& folders);
    /// For a machine as the snapshot has it. None is drawn twice.
    plan::ForkIdentity draw(const std::string& name, const model::Snapshot& snapshot);

  private:
    std::string free_mac();

    std::string state_;
    std::set<std::string> macs_; ///< in use, lower case
};

} // namespace domsnap::engine
