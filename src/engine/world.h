// What steps act on. The real world is QEMU, qemu-img, the store and the file system; a fake one keeps the
// same contract in memory: apply twice is once, undo twice is once, undo of what was never applied does
// nothing.
#pragma once

#include "plan/step.h"

#include <domsnap/error.h>
#include <domsnap/progress.h>
#include <memory>

namespace domsnap::engine {

/// A step that throws it has left the world as it found it.
class Untouched : public Error {
  public:
    explicit Untouched(const Error& error) : Error(error) {}
};

class World {
  public:
    virtual ~World() = default;
    /// Throws Error; what it had done until then may be undone by undo(). conflict from a step that makes a
    /// file means that the file is somebody else's and nothing was done; Untouched from any step, that
    /// nothing was.
    virtual void apply(const plan::Action& action) = 0;
    virtual void undo(const plan::Action& action) = 0;
};

class Session;
/// The world of a session. Long steps report to, and are cancelled by, the session's control.
std::unique_ptr<World> real_world(Session& session);

/// Steps whose effect cannot be taken back (a merge, the guest's end): they have no undo.
bool is_undoable(const plan::Action& action);
/// Steps after which neither the old guest nor the old content is left: a failure there goes forward too.
bool is_final(const plan::Action& action);
/// Steps that make a file which must not be there before.
bool makes_a_file(const plan::Action& action);
/// Steps without which everything else stays right: files that nobody needs, and a guest that did not start.
bool may_be_left(const plan::Action& action);

} // namespace domsnap::engine
