// What the capture process and its starter say to each other: the descriptors and the lines of the report
// pipe.
#pragma once

#include "memory/capture.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace domsnap::memory {

inline constexpr const char* capture_program_name = "domsnap-memory";
inline constexpr const char* of_changed_ram = "--changed"; ///< its first argument: not of a stream

/// Numbers of the descriptors in the capture process.
struct CaptureDescriptors {
    static constexpr int stream = 3;   ///< the migration stream; or the socket to who started it
    static constexpr int image = 4;    ///< the image, with the lock on it
    static constexpr int identity = 5; ///< the identity as JSON, to the end of the pipe
    static constexpr int report = 6;   ///< lines of JSON
};

struct CaptureProgress {
    uint64_t done = 0, total = 0; ///< bytes of RAM
};
using CaptureReport = std::variant<CaptureProgress, CaptureResult>;

/// One line with its newline, at most 4096 bytes (what a pipe takes whole or not at all).
std::string to_line(const CaptureReport& report);
/// Nothing if the line is not understood.
std::optional<CaptureReport> report_from_line(std::string_view line);

/// The program's main: captures what the descriptors give, and tells. Returns its exit status.
int capture_main(int argc, const char* const* argv);

} // namespace domsnap::memory
