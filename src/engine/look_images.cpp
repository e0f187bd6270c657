// Memory images: what each rests on, and which one a new image may rest on.
#include "base/error.h"
#include "base/text.h"
#include "engine/look.h"
#include "engine/memory_identity.h"
#include "memory/capture.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

using plan::Facts;
using plan::MemoryImageFacts;

namespace {

/// One that cannot be read: the ledger may know what it rests on.
void ask_ledger(const Session& session, const std::string& path, MemoryImageFacts& image) {
    try {
        const auto known = session.ledger().find(path);
        image.is_link_known = known.has_value();
        if (known) image.parent = known->content.parent;
    } catch (const Error&) {
        image.is_link_known = false;
    }
}

MemoryImageFacts look_at_one(const Session& session, const std::string& path) {
    MemoryImageFacts image;
    try {
        if (const auto info = os::file_info(path)) image.size = info->allocated;
        const auto link = memory::image_link(path);
        if (link.parent) image.parent = memory::parent_file(path, *link.parent);
    } catch (const Error& error) {
        image.problem = error.what();
        ask_ledger(session, path, image);
    }
    return image;
}

/// The current snapshot, or the nearest above it whose memory is in an image.
std::string nearest_image(const model::SnapshotTree& tree) {
    const auto* snapshot = tree.find(tree.current());
    for (size_t steps = 0; snapshot && steps < tree.all().size(); ++steps) {
        if (snapshot->memory.location == model::Location::external) return snapshot->memory.file;
        snapshot = tree.find(snapshot->parent);
    }
    return {};
}

std::string parent_problem(const std::string& path, const model::Domain& live) {
    if (memory::capture_in_progress(path)) return fmt::format("{} is still being written", path);
    const auto image = memory::ImageReader::open(path);
    if (auto words = identity_problem(image.identity(), path, live); !words.empty()) return words;
    if (image.layers().size() >= memory::max_chain)
        return fmt::format("{} already rests on {} images", path, image.layers().size() - 1);
    return {};
}

} // namespace

void look_at_image(const Session& session, Facts& facts, std::string path) {
    while (!path.empty() && !facts.images.contains(path)) {
        auto& image = facts.images[path] = look_at_one(session, path);
        path = image.parent;
    }
}

void look_at_images(const Session& session, Facts& facts, const model::SnapshotTree& tree) {
    for (const auto& snapshot : tree.all())
        look_at_image(session, facts, snapshot.memory.file);
    for (const auto& file : session.ledger().all({}))
        if (file.made && file.role == model::FileRole::memory && os::exists(file.path))
            look_at_image(session, facts, file.path);
}

void look_for_parent_image(Facts& facts, const model::SnapshotTree& tree) {
    const auto path = nearest_image(tree);
    if (path.empty() || !facts.online()) return;
    try {
        facts.why_whole = parent_problem(path, facts.live);
    } catch (const Error& error) {
        facts.why_whole = error.what();
    }
    if (facts.why_whole.empty()) facts.parent_image = path;
}

} // namespace domsnap::engine
