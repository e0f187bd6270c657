// What a fork has besides the files that every domain has.
#include "base/text.h"
#include "engine/steps.h"
#include "model/firmware.h"
#include "os/file.h"

namespace domsnap::engine {

void apply(Session&, const plan::CopyState& step) {
    const auto content = os::read_file(step.from, model::max_flash);
    os::make_folders(text::folder_of(step.to));
    os::write_file_durably(step.to, content);
}

/// The domain never was, and its firmware's folder goes with its definition.
void undo(Session&, const plan::CopyState& step) {
    if (os::exists(step.to)) os::remove_file_durably(step.to);
}

void apply(Session& session, const plan::PutFork& step) { session.folder().put_fork(step.text); }
void undo(Session& session, const plan::PutFork& step) { session.folder().put_fork(step.old); }

} // namespace domsnap::engine
