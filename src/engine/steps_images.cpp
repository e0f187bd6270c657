// Memory images without a QEMU: one is written anew without what it rested on.
#include "base/error.h"
#include "engine/steps.h"
#include "memory/fold.h"
#include "memory/hot_pages.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

bool is_done(const plan::FoldImage& step) {
    const auto link = memory::image_link(step.path);
    return step.parent.empty() ? !link.parent
                               : link.parent && memory::parent_file(step.path, *link.parent) == step.parent;
}

/// What an earlier try left: half an image. Anything else is somebody else's.
void take_away_half(Session& session, const std::string& path) {
    const auto info = os::file_info(path, false);
    if (!info) return;
    const bool is_ours = info->is_regular && (info->size == 0 || session.ledger().find(path));
    if (!is_ours)
        throw Error(ErrorCode::conflict, fmt::format("{} is in the way: it was made meanwhile", path),
                    "move it away and delete again");
    os::remove_file_durably(path);
}

void write_anew(Session& session, const plan::FoldImage& step) {
    const auto& control = session.control();
    const memory::VerifyHooks hooks{
        [&](uint64_t done, uint64_t total) { control.report("memory", done, total); },
        [&] { return control.cancelled(); }};
    const auto fresh = os::create_exclusive(step.fresh);
    session.ledger().made(step.fresh, model::FileRole::memory);
    try {
        memory::fold_image(step.path, step.parent, fresh, step.fresh, hooks);
    } catch (const Error&) {
        os::remove_file_durably(step.fresh);
        session.ledger().forget(step.fresh);
        throw;
    }
}

/// Those that were wanted first are the same pages.
void take_place(const plan::FoldImage& step) {
    const auto hot = memory::read_hot_pages(memory::ImageReader::open(step.path));
    os::rename_durably(step.fresh, step.path);
    if (!hot.empty()) memory::write_hot_pages(memory::ImageReader::open(step.path), hot);
}

} // namespace

// Content never changes in place: who has the old file open, keeps it.
void apply(Session& session, const plan::FoldImage& step) {
    const bool done = is_done(step);
    take_away_half(session, step.fresh);
    if (!done) {
        write_anew(session, step);
        take_place(step);
    }
    session.ledger().forget(step.fresh);
    session.ledger().made(step.path, model::FileRole::memory);
    session.ledger().frozen(step.path, {}, true);
}

} // namespace domsnap::engine
