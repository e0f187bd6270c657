// Which domains may be other than they were: something was written that tells of their state, or their QEMU
// ended. Knows where things are, and nothing of what is in them. One such serves all in a process who want to
// know, each as a reader of its own; any number of threads.
#pragma once

#include "os/change_watch.h"

#include <atomic>
#include <domsnap/host.h>
#include <map>
#include <mutex>
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
        bool none() const { return !all && !names && domains.empty(); }
        void add(const Changed& more);
    };

    class Reader {
      public:
        explicit Reader(DomainChanges& changes); ///< hears of all from now on
        ~Reader();
        Reader(const Reader&) = delete;
        Reader& operator=(const Reader&) = delete;
        /// Those since the last time, also what another reader's call took from the kernel; does not wait.
        /// (QEMU writes its events down before it answers the command that brought them about: who knows of a
        /// change by anybody's answer finds it here.)
        Changed take();
        void wait(Deadline deadline) const; ///< until there is something to take
        void interrupt();                   ///< from any thread: it never waits again

      private:
        friend DomainChanges;
        DomainChanges& changes_;
        Changed unread_; ///< under the lock of changes_
        os::Wake wake_;
        std::atomic<bool> interrupted_ = false;
    };

    // What is to be watched, before it is looked at. False if it cannot be: there is no descriptor or no
    // watch more to be had, or the process has ended already.
    bool watch_all(); ///< the definitions of all domains, and whether there are others
    /// What happens in the run-time folder of that UUID is that domain's.
    bool watch(const std::string& domain, const std::string& uuid);
    bool watch(const std::string& domain, const os::ProcessId& process);

  private:
    void note(const os::Changes::OfFile& file, Changed& changed) const;
    Changed take_from_kernel();
    void share_out(const Reader& taker);

    Folders folders_;
    std::string domains_folder_;
    os::ChangeWatch changes_;
    std::mutex mutex_; ///< of all that follows, and of what changes_ holds
    std::map<std::string, std::set<std::string>> by_uuid_; ///< two names, where it has just been renamed
    std::map<pid_t, std::string> by_pid_;
    std::set<Reader*> readers_;
};

} // namespace domsnap::engine
