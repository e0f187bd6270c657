#include "base/error.h"
#include "base/text.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

/// A file that a step made, or half made: empty, broken, or an overlay of just that base. Anything else came
/// from somebody else in between, and stays.
bool is_our_overlay(const plan::MakeOverlay& step) {
    const auto info = os::file_info(step.path, false);
    if (!info || !info->is_regular) return false;
    if (info->size == 0) return true;
    try {
        return image::info(step.path, "qcow2").backing_path == step.backing;
    } catch (const Error&) {
        return true; // QEMU or qemu-img was killed while it wrote the header
    }
}

} // namespace

void apply(Session&, const plan::MakeOverlay& step) {
    image::create_overlay(step.path, step.backing, step.backing_format, step.size);
}

void undo(Session& session, const plan::MakeOverlay& step) {
    if (!os::exists(step.path)) return;
    if (is_our_overlay(step))
        os::remove_file_durably(step.path);
    else
        session.control().warn(
            fmt::format("{} is not the overlay that was made there: it is left alone", step.path));
}

void apply(Session&, const plan::CopyImage& step) { os::copy_file_sparsely(step.from, step.to); }
void undo(Session&, const plan::CopyImage& step) {
    if (os::exists(step.to))
        os::remove_file_durably(step.to); // in a folder that is not there, there is nothing to remove
}

void apply(Session&, const plan::ReserveImage& step) {
    os::create_exclusive(step.path);
    os::sync_folder(text::folder_of(step.path));
}

void undo(Session&, const plan::ReserveImage& step) {
    if (os::exists(step.path))
        os::remove_file_durably(step.path); // in a folder that is not there, there is nothing to remove
}

/// The disk part of a file that only holds memory: as small as qcow2 and QEMU's sector allow.
void apply(Session&, const plan::MakeHolder& step) { image::create(step.path, "qcow2", 65536); }
void undo(Session&, const plan::MakeHolder& step) {
    if (os::exists(step.path)) os::remove_file_durably(step.path);
}

void apply(Session&, const plan::RemoveFile& step) { os::remove_file_durably(step.path); }

void apply(Session& session, const plan::Rebase& step) {
    image::rebase(step.path, step.format, step.backing, step.backing_format, true, session.control());
}

} // namespace domsnap::engine
