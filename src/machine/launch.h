// A QEMU process, started and greeted, or its own words why not. Private to the room.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"
#include "os/process.h"
#include "qmp/client.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domsnap::machine {

/// What QEMU said last: the end of its log without time stamps, its program's name and warnings. "" if
/// nothing.
std::string last_words(const std::string& log_path);
/// The same, of text (for tests).
std::string words_of_log(std::string_view log);

/// A new path for the log of a short-lived QEMU in that folder.
std::string scratch_log(const std::string& folder);

/// Ends our own child at once and reaps it.
void kill_child(const os::ProcessId& child);

/// Greets it over that connection; if QEMU ended, or ends within a moment, throws refused_by_qemu with its
/// last words. The child is ended in every case of failure.
qmp::Client greet(const os::ProcessId& child, os::Fd socket, const std::string& log_path,
                  const std::string& who, Deadline deadline);

/// A QEMU that is asked something and ended again; its monitor is one connected socket, which it has as
/// descriptor 3.
class ShortLived {
  public:
    ShortLived(const std::vector<std::string>& argv,
               const std::vector<std::pair<std::string, std::string>>& environment,
               const std::string& log_path, const std::string& who, Deadline deadline);
    ~ShortLived(); ///< ends it, however far it came, and removes its log
    ShortLived(const ShortLived&) = delete;
    ShortLived& operator=(const ShortLived&) = delete;
    qmp::Client& monitor() { return *monitor_; }

  private:
    os::ProcessId process_;
    std::string log_path_;
    std::optional<qmp::Client> monitor_;
};

} // namespace domsnap::machine
