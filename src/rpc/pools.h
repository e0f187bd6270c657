// Storage pools as virt-install needs them: it makes one of each folder that a disk lies in, and asks for
// nothing but the name again. A pool here is a name for a folder, known as long as the server runs; it holds
// no volumes, and disks are files as before.
#pragma once

#include "rpc/wire.h"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace domsnap::rpc {

struct Pool {
    std::string name, uuid, folder;
    bool active = false;
};

class Pools {
  public:
    /// Of a <pool type='dir'>. Throws Error for any other, and for a name that another folder has.
    Pool define(const std::string& xml);
    void set_active(const std::string& name, bool active);
    void forget(const std::string& name);
    Pool get(const std::string& name) const; ///< throws Refusal "Storage pool not found"
    std::vector<Pool> all() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, Pool> pools_;
};

} // namespace domsnap::rpc
