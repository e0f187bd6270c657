// Where the time of an operation goes, for whoever measures: with DOMSNAP_TRACE=FILE in the environment each
// step that was applied adds a line "SECONDS STEP MILLISECONDS" to FILE (when it began, as seconds since the
// epoch; the journal's name of it; how long it took). Refuses to know what a step does.
#pragma once

#include <chrono>
#include <string>

namespace domsnap::engine {

/// Lives for as long as the step does. Never throws: what cannot be written down is not worth a guest's
/// snapshot.
class TraceStep {
  public:
    explicit TraceStep(const char* step);
    ~TraceStep();
    TraceStep(const TraceStep&) = delete;
    TraceStep& operator=(const TraceStep&) = delete;

  private:
    const char* file_; ///< nullptr: nobody measures
    const char* step_;
    std::chrono::system_clock::time_point began_; ///< QEMU stamps its events with this clock
    std::chrono::steady_clock::time_point started_;
};

} // namespace domsnap::engine
