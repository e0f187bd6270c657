// Tells when something was made, replaced, written or removed in a few folders.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <string>

namespace domsnap::os {

class FileWatch {
  public:
    FileWatch();
    /// Again and again is no harm: a folder that came back is watched anew. False if there is no such folder.
    bool add(const std::string& folder);
    /// True if something changed since the last time; false at the deadline or after interrupt().
    bool wait(Deadline deadline);
    void interrupt() const; ///< from any thread, once and for ever

  private:
    Fd inotify_, wake_read_, wake_write_;
};

} // namespace domsnap::os
