// The guest's file systems frozen and thawed, and the promise that what was frozen is thawed: a process of
// its own session does it when the one that froze dies, or takes too long.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"

#include <chrono>
#include <string>

namespace domsnap::agent {

/// Throws what Client does if no agent answers.
bool is_frozen(const std::string& socket_path, Deadline deadline);
/// How many file systems were frozen. Throws refused_by_qemu with the agent's own words; whatever is thrown,
/// some may be frozen.
int64_t freeze(const std::string& socket_path, Deadline deadline);
/// Asks until the agent says that all is thawed. Thaws nothing twice: what is not frozen stays as it is.
/// Throws the last refusal when the deadline has passed.
void thaw(const std::string& socket_path, Deadline deadline);

/// The process that thaws (program domsnap-thaw, in $DOMSNAP_LIBEXEC_DIR, beside the executable or in
/// ../libexec/domsnap): at once when this object is destroyed without release(), be it because its process
/// was killed; and in any case after so many seconds.
class Watch {
  public:
    static Watch start(const std::string& socket_path, std::chrono::seconds patience,
                       const std::string& log_path);
    /// There is nothing left to thaw, or nobody left to do it for. False if it had begun to.
    bool release();

  private:
    explicit Watch(os::Fd pipe) : pipe_(std::move(pipe)) {}
    os::Fd pipe_;
};

/// The main function of domsnap-thaw.
int thaw_main(int argc, const char* const* argv);

} // namespace domsnap::agent
