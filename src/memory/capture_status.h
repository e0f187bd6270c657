// How far the writing of a guest's memory has come, and what became of it: one small file in the domain's
// run-time folder, written by the capture process, and by the engine when it knows better. Format:
// docs/formats/capture-status.md.
#pragma once

#include "os/process.h"

#include <cstdint>
#include <optional>
#include <string>

namespace domsnap::memory {

struct CaptureStatus {
    enum class State {
        capturing, ///< while its process lives; else that was killed
        complete,  ///< the image is whole and durable
        failed,    ///< it is not, and there is no snapshot
        cancelled  ///< somebody asked for its end, and there is no snapshot
    } state = State::capturing;
    std::string image;
    std::string snapshot, error,
        hint;                     ///< of failed and cancelled: whose memory it was, and in the user's words
    uint64_t done = 0, total = 0; ///< bytes of RAM
    int64_t began = 0, ended = 0; ///< milliseconds since the epoch; ended 0: not yet
    os::ProcessId process;
    bool untold = false; ///< nobody waited for it: the next command says what went wrong

    /// Whether memory is being written now.
    bool goes_on() const { return state == State::capturing && os::is_alive(process); }
};

/// Nothing if there is no such file; an Error (corrupt, unsupported) for one that cannot be read.
std::optional<CaptureStatus> read_capture_status(const std::string& path);
void write_capture_status(const std::string& path, const CaptureStatus& status);

} // namespace domsnap::memory
