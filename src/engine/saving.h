// A snapshot whose memory is being written while its guest runs, as everybody can see it who does not hold
// the domain's lock: from the journal of who does, and what the capture process says of itself.
#pragma once

#include "engine/session.h"
#include "memory/capture_status.h"
#include "plan/step.h"

#include <optional>
#include <string>

namespace domsnap::engine {

struct Saving {
    model::Snapshot snapshot; ///< as its record will be
    std::string text;         ///< that record
    std::string image;
    bool ending = false; ///< it failed or is not wanted: it is being taken back
    std::optional<memory::CaptureStatus> status;

    uint64_t done() const { return status ? status->done : 0; }
    uint64_t total() const { return status ? status->total : 0; }
};

/// Nothing if no memory is being written, or if whoever waited for it was killed: then the next command that
/// changes the domain sees to it.
std::optional<Saving> saving(const View& view);
/// "the capture of snapshot 's' (43 %)", or "".
std::string words_of_saving(const View& view);

/// What the capture process said last of this image.
std::optional<memory::CaptureStatus> capture_status(const View& view, const std::string& image);
/// Whether domjobabort asked for the end of that image's capture.
bool is_unwanted(const View& view, const std::string& image);
/// Before a new capture.
void forget_captures(const View& view);
/// The plan failed: its snapshot will not be, if it had come to its capture and was taken back. untold:
/// nobody waits for it, the next command tells.
void note_failed_capture(const View& view, const plan::Plan& plan, const Error& error, bool untold = false);
/// What became of one that nobody waited for, once, as a warning.
void tell_failed_capture(const Session& session);

} // namespace domsnap::engine
