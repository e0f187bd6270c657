// Advisory locks between processes, on open file descriptions: the kernel drops them with the process, so the
// lock of a dead process is no lock.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <functional>
#include <string>

namespace domsnap::os {

enum class LockMode { shared, exclusive };

class FileLock {
  public:
    FileLock() = default;
    /// Blocks until the lock is had or the deadline passes (busy, naming the holder). who: one line that
    /// other processes show while they wait ("snapshot-create vm (pid 17)"). on_wait is called once, with the
    /// holder's line, if the lock is not free at once. The file is made if it is missing.
    static FileLock take(const std::string& path, LockMode mode, const std::string& who, Deadline deadline,
                         const std::function<void(const std::string& holder)>& on_wait = {});
    /// Without waiting; false in operator bool if somebody else has it.
    static FileLock try_take(const std::string& path, LockMode mode, const std::string& who);
    explicit operator bool() const { return static_cast<bool>(fd_); }

    /// The lock lasts until the last process that has the descriptor has closed it: it can be handed to a
    /// child, which takes it up under the number that it got it as and signs for it.
    int descriptor() const { return fd_.get(); }
    static FileLock handed_over(int descriptor, const std::string& who);

  private:
    Fd fd_;
};

} // namespace domsnap::os
