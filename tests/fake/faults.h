// What shall go wrong, and when: read from the file that $FAKE_QEMU_FAULTS names, anew at each command, so
// that a test can change it while the fake runs. The words are in tests/fake/README.md.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fake {

struct Fault {
    std::string argument; ///< the rest of the line
};

class Faults {
  public:
    /// Counts one more occurrence of the event (a command, or a job's type), for faults that name the n-th.
    void count(const std::string& event) { ++seen_[event]; }
    /// The fault of this kind for the event that was counted last.
    std::optional<Fault> find(const std::string& kind, const std::string& event) const;
    /// Ends the process at once, as SIGKILL would, if there is such a fault.
    void die_if(const std::string& kind, const std::string& event) const;

  private:
    std::map<std::string, unsigned> seen_;
};

} // namespace fake
