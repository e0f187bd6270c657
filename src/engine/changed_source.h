// The RAM of a running guest that has it mapped from an image, as domsnap itself can read what it changed of
// it (memory/changed_capture.h). Decides nothing.
#pragma once

#include "engine/session.h"
#include "memory/changed_capture.h"

namespace domsnap::engine {

/// Throws unsupported where the guest's RAM is its own or cannot be read from outside, and what the image
/// throws.
memory::ChangedSource changed_source(Session& session);

} // namespace domsnap::engine
