// The end of a capture that is not wanted any more, or that was cut short: after it QEMU takes the next one
// and the guest can run. What QEMU does with a capture whose reader is gone is its own affair here.
#pragma once

#include "engine/session.h"
#include "qmp/commands.h"

#include <optional>
#include <string>

namespace domsnap::engine {

bool has_failed(const qmp::Migration& migration);
/// QEMU forgets the descriptor that it was given for the stream, if it still has it.
void close_stream(Session& session);

/// Nothing if QEMU does not answer now, as one whose guest stands still may not.
std::optional<qmp::Migration> look_at_migration(Session& session);
/// Waits until QEMU's migration into that image is over, and frees a guest that stands still because the
/// image's writer was killed. The session's monitor may be a new one afterwards. Throws outcome_unknown when
/// nothing has moved for long.
void end_capture(Session& session, const std::string& image);
/// Waits until nobody writes the image any more. Throws busy when that takes long.
void wait_for_writer(const std::string& image);

/// What give_fd calls the stream.
inline constexpr const char* stream_name = "domsnap-stream";

} // namespace domsnap::engine
