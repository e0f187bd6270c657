// Which domains may be other than they were: something was written that tells of their state, or their QEMU
// ended. Knows where things are, and nothing of what is in them.
#pragma once

#include "os/change_watch.h"

#include <domsnap/host.h>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace domsnap::engine {

class DomainChanges {
  public:
    explicit DomainChanges(Folders folders);

    struct Changed {
        bool all = false;   ///< or any of them
        bool names = false; ///< there may be others, or fewer
        std::set<std::string> domains;
    };
    /// Those since the last time; does not wait. (QEMU writes its events down before it answers the command
    /// that brought them about: who knows of a change by anybody's answer finds it here.)
    Changed take();
    bool wait(Deadline deadline) { return changes_.wait(deadline); }
    void interrupt() const { changes_.interrupt(); }

    // What is to be watched, before it is looked at. False if it cannot be: there is no descriptor or no
    // watch more to be had, or the process has ended already.
    bool watch_all(); ///< the definitions of all domains, and whether there are others
    /// What happens in the run-time folder of that UUID is that domain's.
    bool watch(const std::string& domain, const std::string& uuid);
    bool watch(const std::string& domain, const os::ProcessId& process);

  private:
    void note(const os::Changes::OfFile& file, Changed& changed) const;

    Folders folders_;
    std::string domains_folder_;
    os::ChangeWatch changes_;
    std::map<std::string, std::string> by_uuid_;
    std::map<pid_t, std::string> by_pid_;
};

} // namespace domsnap::engine
