// Storage pools of libvirt's type dir: names for folders, whose files are the volumes. Those that are
// configured are there always; virt-install makes one of each folder that a disk lies in, and such a one is
// known as long as the server runs. Knows no files.
#pragma once

#include "rpc/wire.h"

#include <domsnap/storage.h>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace domsnap::rpc {

struct Pool {
    std::string name, uuid, folder;
    bool active = false, configured = false;
};

class Pools {
  public:
    /// What is configured now: a pool that is new is active, one that is not there any more goes.
    void keep_up(const std::vector<FolderPool>& configured);
    /// Of a <pool type='dir'>. Throws Error for any other, and for a name that another folder has.
    Pool define(const std::string& xml);
    void set_active(const std::string& name, bool active);
    void forget(const std::string& name);    ///< throws Error for one that is configured
    Pool get(const std::string& name) const; ///< throws Refusal "Storage pool not found"
    std::vector<Pool> all() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, Pool> pools_;
    std::set<std::string> was_configured_; ///< those of pools_ that a file named once
};

} // namespace domsnap::rpc
