#include "engine/firmware.h"
#include "engine/steps.h"
#include "os/file.h"

namespace domsnap::engine {

void apply(Session& session, const plan::PutDefinition& step) {
    if (step.old.empty())
        session.folder().put_first_definition(step.text);
    else
        session.folder().put_definition(step.text);
}

void undo(Session& session, const plan::PutDefinition& step) {
    if (!step.old.empty()) return session.folder().put_definition(step.old);
    // The domain never was. The definition last: without it nobody comes back to finish this.
    os::remove_tree(firmware_folder(session));
    os::remove_tree(session.files().folder);
    session.folder().remove_definition();
}

static void put_live(Session& session, const std::string& text) {
    if (session.process()) os::write_file(session.files().live(), text); // it means nothing without its QEMU
}
void apply(Session& session, const plan::PutLive& step) { put_live(session, step.text); }
void undo(Session& session, const plan::PutLive& step) { put_live(session, step.old); }

static void put_record(Session& session, const std::string& name, const std::string& text) {
    if (text.empty())
        session.folder().remove_record(name);
    else
        session.folder().put_record(name, text);
}
void apply(Session& session, const plan::PutRecord& step) { put_record(session, step.name, step.text); }
void undo(Session& session, const plan::PutRecord& step) { put_record(session, step.name, step.old); }
void apply(Session& session, const plan::RemoveRecord& step) { session.folder().remove_record(step.name); }
void undo(Session& session, const plan::RemoveRecord& step) { put_record(session, step.name, step.old); }

void apply(Session& session, const plan::SetCurrent& step) { session.folder().set_current(step.name); }
void undo(Session& session, const plan::SetCurrent& step) { session.folder().set_current(step.old); }

} // namespace domsnap::engine
