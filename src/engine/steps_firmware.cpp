// The NVRAM and the TPM's state: kept with a snapshot, and put back.
#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/steps.h"
#include "machine/swtpm.h"
#include "model/firmware.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

void read_files(Underway& underway, const std::vector<std::string>& files) {
    for (const auto& file : files)
        underway.read[file] = os::read_file(file, model::max_flash);
}

static std::string content_of(const Underway& underway, const plan::KeepFile& step) {
    if (!step.in_stop) return os::read_file(step.from, model::max_flash);
    const auto read = underway.read.find(step.from);
    if (read != underway.read.end()) return read->second;
    throw Error(ErrorCode::outcome_unknown, fmt::format("the reading of {} was interrupted", step.from));
}

void apply(Session& session, Underway& underway, const plan::KeepFile& step) {
    if (!step.in_stop) machine::end_swtpm(session.files()); // QEMU may have ended a moment ago
    const auto content = content_of(underway, step);
    const auto folder = text::folder_of(step.to);
    os::make_folders(folder);
    const auto file = os::create_exclusive(step.to);
    os::write_all(file.get(), content.data(), content.size(), step.to);
    os::sync_file(file, step.to);
    os::sync_folder(folder);
    session.ledger().made(step.to, *model::file_role_from(step.role));
    session.ledger().frozen(step.to, {}, true);
}

void undo(Session& session, Underway&, const plan::KeepFile& step) {
    if (os::exists(step.to)) os::remove_file_durably(step.to);
    session.ledger().forget(step.to);
}

void apply(Session& session, const plan::PutBack& step) {
    machine::end_swtpm(session.files()); // one that outlived its QEMU could write once more
    if (step.kept.empty()) {
        if (os::exists(step.file)) os::remove_file_durably(step.file);
        return;
    }
    os::make_folders(text::folder_of(step.file));
    put_firmware(step.file, os::read_file(step.kept, model::max_flash));
}

} // namespace domsnap::engine
