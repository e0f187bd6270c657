// What happens to the domains of one state folder, whoever does it: this process, another one, or the guest
// itself.
#pragma once

#include <domsnap/host.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace domsnap {

struct DomainEvent {
    enum class Kind {
        defined,   ///< it is new
        redefined, ///< its definition is another
        renamed,   ///< with its old name in detail
        undefined,
        started,   ///< detail: "booted", "from snapshot", …
        suspended, ///< detail: "" or "I/O error"
        resumed,
        rebooted,
        shutting_down, ///< detail: "guest" (it did so itself) or "host"
        crashed,       ///< the guest panicked
        stopped,       ///< detail: "shutdown", "destroyed", "crashed", "from snapshot", …
    } kind;
    std::string name, uuid;
    int64_t id = -1; ///< as the domain is after it
    std::string detail;
};

/// Sees changes of files, and QEMU's own events. Of several changes between two looks it tells those that can
/// be told apart.
class Watch {
  public:
    /// What is there now is no event. With a host that keeps states it shares what tells of changes.
    explicit Watch(const Host& host);
    ~Watch();
    /// Waits until something happened, at most so long; in the order in which it happened. Nothing after
    /// interrupt().
    std::vector<DomainEvent> next(std::chrono::milliseconds patience);
    void interrupt(); ///< from any thread, for ever
    bool interrupted() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace domsnap
