#include "base/error.h"
#include "base/text.h"
#include "engine/mapped_image.h"
#include "engine/steps.h"
#include "image/qemu_img.h"
#include "memory/hot_pages.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

using model::FileRole;

namespace {

constexpr uint64_t largest_empty_image = 256 << 10; ///< header, reference counts and L1 table, 64 KiB each

/// A file that a step made, or half made: empty, broken, or an overlay of just that base. Anything else came
/// from somebody else in between, and stays.
bool is_our_overlay(const plan::MakeOverlay& step) {
    const auto info = os::file_info(step.path, false);
    if (!info || !info->is_regular) return false;
    if (info->size == 0) return true;
    try {
        // QEMU 10's qemu-img writes a header without a backing file first: killed between the two, it leaves
        // an image that holds nothing at all.
        const auto image = image::info(step.path, "qcow2");
        const bool holds_nothing = info->size <= largest_empty_image && image.snapshots.empty();
        return image.backing_path == step.backing || (image.backing_path.empty() && holds_nothing);
    } catch (const Error&) {
        return true; // QEMU or qemu-img was killed while it wrote the header
    }
}

} // namespace

// The ledger's entry comes after the file: a crash between the two leaves a file that the journal's undo
// still finds, and never an entry of what is not there.
void apply(Session& session, const plan::MakeOverlay& step) {
    image::create_overlay(step.path, step.backing, step.backing_format, step.size);
    session.ledger().made(step.path, FileRole::overlay);
}

void undo(Session& session, const plan::MakeOverlay& step) {
    if (os::exists(step.path)) {
        if (is_our_overlay(step))
            os::remove_file_durably(step.path);
        else
            session.control().warn(
                fmt::format("{} is not the overlay that was made there: it is left alone", step.path));
    }
    session.ledger().forget(step.path);
}

namespace {

/// A file that nobody needs any more, and what is known of it.
void remove_made(Session& session, const std::string& path) {
    if (os::exists(path)) os::remove_file_durably(path); // the folder may be gone, and the file with it
    session.ledger().forget(path);
}

} // namespace

void apply(Session& session, const plan::CopyImage& step) {
    os::copy_file_sparsely(step.from, step.to);
    session.ledger().made(step.to, FileRole::copy);
}
void undo(Session& session, const plan::CopyImage& step) { remove_made(session, step.to); }

void apply(Session& session, const plan::ReserveImage& step) {
    os::create_exclusive(step.path);
    os::sync_folder(text::folder_of(step.path));
    session.ledger().made(step.path, FileRole::memory);
}
void undo(Session& session, const plan::ReserveImage& step) { remove_made(session, step.path); }

/// The disk part of a file that only holds memory: as small as qcow2 and QEMU's sector allow.
void apply(Session& session, const plan::MakeHolder& step) {
    image::create(step.path, "qcow2", 65536);
    session.ledger().made(step.path, FileRole::holder);
}
void undo(Session& session, const plan::MakeHolder& step) { remove_made(session, step.path); }

void apply(Session& session, const plan::RemoveFile& step) {
    remove_made(session, step.path);
    memory::remove_hot_pages(step.path); // a memory image's list goes with it
    forget_verified(session.folders(), step.path);
}

void apply(Session& session, const plan::Rebase& step) {
    if (image::info(step.path, step.format).backing_path != step.backing)
        image::rebase(step.path, step.format, step.backing, step.backing_format, true, session.control());
    session.ledger().renew(step.path);
}

void apply(Session& session, const plan::NoteFrozen& step) {
    for (const auto& file : step.files)
        session.ledger().frozen(file.path, file.format, file.anew);
}

} // namespace domsnap::engine
