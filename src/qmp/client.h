// One QMP connection: greeting, capabilities, commands matched to their answers by id, events kept in order.
// Knows nothing of snapshots.
#pragma once

#include "base/deadline.h"
#include "os/fd.h"
#include "qmp/codec.h"

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap::qmp {

/// QEMU's "error" answer. Thrown by Client::run as Error(refused_by_qemu) whose message holds QEMU's own
/// words.
class Client {
  public:
    /// Connects, reads the greeting and negotiates (with "oob" where QEMU offers it). Errors: not_found
    /// (nobody listens), timed_out (another client holds the monitor: QEMU serves one at a time, qemu 7.2
    /// and 10.0).
    static Client connect(const std::string& socket_path, Deadline deadline);
    /// The same over an open socket (tests, socket pairs).
    static Client over(os::Fd socket, Deadline deadline);
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    ~Client();

    /// Runs one command and returns its "return" value. fd >= 0 is passed along (getfd). Throws
    /// refused_by_qemu with QEMU's class and words, outcome_unknown if the deadline passes after the command
    /// was sent, io if QEMU went away.
    Json run(const std::string& command, const Json& arguments, Deadline deadline, int fd = -1);
    Json run(const std::string& command, Deadline deadline);
    /// A whole command object, as given but for its id, and the whole answer ("return" or "error") without
    /// its id; refusals are not thrown. Otherwise as run.
    Json exchange(const Json& command, Deadline deadline, int fd = -1);
    /// Out of band ("exec-oob"), for a monitor whose main loop hangs. unsupported if QEMU did not offer it.
    Json run_out_of_band(const std::string& command, const Json& arguments, Deadline deadline);

    /// The next event for which wanted is true; events before it that are not wanted stay kept for later
    /// calls. Nothing after the deadline. Throws io if QEMU goes away.
    std::optional<Event> wait_event(const std::function<bool(const Event&)>& wanted, Deadline deadline);
    /// Forgets the events that were kept.
    void drop_events();
    /// All events that came so far, oldest first, and forgets them. Does not block.
    std::deque<Event> take_events();
    int fd() const;              ///< for poll(2)
    std::string version() const; ///< "7.2.22", from the greeting

  private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace domsnap::qmp
