// --no-wait: once the guest runs again the rest of a snapshot's plan is another process's, which gets the
// domain's lock and goes on with the journal. If that is killed, the next command finds what any crash
// leaves.
#pragma once

#include "engine/session.h"

#include <string>

namespace domsnap::engine {

/// Starts it; the session's lock is its from then on, and the session must change nothing any more. Throws if
/// it cannot be started: then nothing has changed hands.
void hand_over(Session& session);

/// The program domsnap-finish: its descriptor 3 is the lock. Returns the exit status.
int finish_main(int argc, const char* const* argv);

} // namespace domsnap::engine
