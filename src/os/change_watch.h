// Tells when something was made, replaced, written or removed in a few folders, and when a process ended. The
// kernel notes a change before the call that made it returns: who has seen its effect finds it here.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/wake.h"

#include <map>
#include <string>
#include <vector>

namespace domsnap::os {

struct Changes {
    struct OfFile {
        std::string folder, name; ///< as it was added, and in it; name "": the folder itself
    };
    std::vector<OfFile> files;
    std::vector<ProcessId> ended;
    bool lost = false; ///< there were more than the kernel keeps: anything may have changed
    bool none() const { return files.empty() && ended.empty() && !lost; }
};

class ChangeWatch {
  public:
    ChangeWatch();
    /// Again and again is no harm: a folder that came back is watched anew. False if there is no such folder.
    bool add(const std::string& folder);
    /// Told once, when it has ended; false if it has already.
    bool add(const ProcessId& process);
    /// Those since the last time; does not wait, and costs one system call where there are none.
    Changes take();
    /// Until there is something to take, somebody has set wake, or the deadline; while others may take.
    void wait(Deadline deadline, const Wake& wake) const;

  private:
    void read_notes(Changes& changes);

    Fd epoll_, inotify_;
    std::map<int, std::string> folders_; ///< by inotify's number
    struct Held {
        ProcessId id;
        Fd end;
    };
    std::map<pid_t, Held> processes_;
};

} // namespace domsnap::os
