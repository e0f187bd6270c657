#include "engine/observe.h"

#include "base/clock.h"
#include "base/error.h"
#include "engine/firmware.h"
#include "engine/forks.h"
#include "engine/guest.h"
#include "engine/in_place.h"
#include "engine/known_files.h"
#include "engine/look.h"
#include "engine/memory_file.h"
#include "engine/memory_identity.h"
#include "engine/networks.h"
#include "memory/capture.h"
#include "memory/image.h"
#include "memory/save_file.h"
#include "os/file.h"
#include "os/host_memory.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

using plan::Facts;

namespace {

Facts observe(Session& session) {
    Facts facts;
    facts.definition = session.definition();
    facts.live = session.live();
    if (const auto process = session.process()) {
        facts.has_process = true;
        facts.reason = noted_reason(session.files());
        const auto status = qmp::query_status(session.monitor(), quick());
        facts.state = observed_state(status);
        facts.handed_over = status.status == "postmigrate";
        facts.memory_in_use = std::min(resident_memory(*process), facts.live.memory + (64 << 20));
    }
    look_at_firmware(session, facts);
    facts.memory_folder = session.folder().memory_folder();
    facts.now = since_epoch<std::chrono::seconds>();
    for (const unsigned char byte : os::random_bytes(4))
        facts.unique += fmt::format("{:02x}", byte);
    return facts;
}

plan::MemoryImageFacts look_at_image(const Session& session, const model::Snapshot& snapshot) {
    plan::MemoryImageFacts facts;
    try {
        if (memory::capture_in_progress(snapshot.memory.file)) {
            facts.problem = fmt::format("{} is still being written", snapshot.memory.file);
            return facts;
        }
        facts.problem =
            identity_problem(identity_of_memory(snapshot.memory.file), snapshot, session.definition());
        if (!memory::SaveFile::is_one(snapshot.memory.file))
            facts.hash = memory::image_hash(snapshot.memory.file); // opened, and so checked, above
    } catch (const Error& error) {
        facts.problem = error.what();
    }
    return facts;
}

} // namespace

model::SnapshotState observed_state(const qmp::Status& status) {
    if (status.running) return model::SnapshotState::running;
    if (status.status == "shutdown") return model::SnapshotState::shutdown;
    if (status.status == "guest-panicked" || status.status == "internal-error")
        return model::SnapshotState::crashed;
    return model::SnapshotState::paused;
}

void observe_for_start(const Session& session) {
    Facts facts;
    look_at_disks(facts, session.definition());
    require_known(session, facts, session.snapshot_heads(), files_of(session.definition(), facts));
}

Facts observe_for_create(Session& session, const model::SnapshotTree& tree,
                         const std::vector<NamedFile>& named) {
    Facts facts = observe(session);
    look_at_disks(facts, facts.live);
    for (const auto& file : named)
        if (!file.format.empty() && os::exists(file.path)) look_at(facts, file.path, file.format);
    look_at_disk_nodes(session, facts);
    look_at_folders(facts, named);
    look_for_background(session, facts);
    look_for_changed_ram(session, facts);
    look_for_parent_image(facts, tree);
    check_leaves(facts);
    require_known(session, facts, tree, files_of(facts.live, facts));
    return facts;
}

static Facts observe_tree(Session& session, const model::SnapshotTree& tree) {
    Facts facts = observe(session);
    look_at_disks(facts, facts.live);
    look_at_disks(facts, facts.definition);
    look_at_points(facts, tree);
    look_at_disk_nodes(session, facts);
    look_at_folders(facts, {});
    look_at_made_files(facts, session);
    look_for_warm(session, tree, facts);
    return facts;
}

Facts observe_for_revert(Session& session, const model::SnapshotTree& tree, const model::Snapshot& snapshot) {
    Facts facts = observe_tree(session, tree);
    look_at_image(session, facts, snapshot.memory.file);
    require_known(session, facts, tree, files_of(snapshot, facts));
    require_networks(session.folders(), snapshot);
    facts.memory_available = os::available_memory();
    if (snapshot.memory.location == model::Location::external) {
        facts.images[snapshot.memory.file] = look_at_image(session, snapshot);
        look_for_at_once(session, snapshot, facts);
        look_for_in_place(session, facts);
        if (memory::SaveFile::is_one(snapshot.memory.file))
            facts.why_not_in_place = "libvirt saved its memory as a stream";
    }
    return facts;
}

Facts observe_warm(Session& session, const model::SnapshotTree& tree) { return observe_tree(session, tree); }

Facts observe_for_delete(Session& session, const model::SnapshotTree& tree, const std::string& snapshot,
                         const DeleteOptions& options) {
    Facts facts = observe_tree(session, tree);
    if (options.metadata) return facts;
    look_at_images(session, facts, tree);
    look_at_folders(facts, {});
    facts.pinned = pinned_files(session);
    check_leaves(facts);
    require_known(session, facts, tree, files_to_delete(tree, snapshot, options, facts));
    return facts;
}

} // namespace domsnap::engine
