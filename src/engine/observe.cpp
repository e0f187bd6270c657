#include "engine/observe.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/memory_identity.h"
#include "image/qemu_img.h"
#include "machine/devices.h"
#include "memory/capture.h"
#include "memory/image.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace domsnap::engine {

using plan::Facts;

namespace {

/// Looks at an image and what lies below it, once each. A problem is a fact, not a failure.
void look_at(Facts& facts, std::string path, std::string format) {
    while (!path.empty() && !facts.files.contains(path)) {
        plan::FileFacts& file = facts.files[path];
        file.path = path;
        file.format = format;
        try {
            const auto info = image::info(path, format);
            file.backing = info.backing_path;
            file.backing_format = info.backing_format;
            file.virtual_size = info.virtual_size;
            file.actual_size = info.actual_size;
            for (const auto& snapshot : info.snapshots) file.tags.insert(snapshot.tag);
            if (info.corrupt) file.problem = fmt::format("{} is marked corrupt: repair it with qemu-img check -r all", path);
        } catch (const Error& error) {
            file.problem = error.what();
        }
        path = file.backing;
        format = file.backing_format;
    }
}

void look_at_disks(Facts& facts, const model::Domain& domain) {
    for (const auto& disk : domain.disks)
        if (!disk.empty()) look_at(facts, disk.source, disk.format);
}

void look_at_points(Facts& facts, const model::SnapshotTree& tree) {
    for (const auto& snapshot : tree.all()) {
        if (snapshot.memory_point) look_at(facts, snapshot.memory_point->file, snapshot.memory_point->format);
        for (const auto& disk : snapshot.disks) {
            if (disk.point) look_at(facts, disk.point->file, disk.point->format);
            // Overlays that a snapshot made may rest on a point without being anybody's point themselves.
            if (!disk.source.empty() && os::exists(disk.source)) look_at(facts, disk.source, disk.driver.empty() ? "qcow2" : disk.driver);
        }
    }
}

void look_at_folder(Facts& facts, const std::string& folder) {
    if (facts.folders.contains(folder) || !os::exists(folder)) return;
    facts.folders.insert(folder);
    facts.free_space[folder] = os::free_space(folder);
    for (const auto& name : os::list_folder(folder)) facts.taken.insert(folder == "/" ? "/" + name : folder + "/" + name);
}

void look_at_folders(Facts& facts, const std::vector<NamedFile>& named) {
    look_at_folder(facts, facts.memory_folder);
    std::vector<std::string> paths;
    for (const auto& file : named) paths.push_back(file.path);
    for (const auto* domain : {&facts.definition, &facts.live})
        for (const auto& disk : domain->disks)
            if (!disk.empty() && disk.type == "file") paths.push_back(disk.source);
    for (const auto& [path, file] : facts.files) paths.push_back(path);
    for (const auto& path : paths)
        if (text::starts_with_slash(path)) look_at_folder(facts, text::folder_of(path));
}

unsigned first_free_number(const std::vector<qmp::BlockNode>& graph, const std::string& target) {
    unsigned next = 0;
    for (const auto& node : graph) {
        if (!node.node_name.starts_with(target + "-")) continue;
        const auto number = text::to_u64(std::string_view(node.node_name).substr(target.size() + 1));
        if (number && *number >= next && *number < 1'000'000) next = static_cast<unsigned>(*number) + 1;
    }
    return next;
}

void look_at_graph(plan::DiskFacts& disk, const std::vector<qmp::BlockNode>& graph, std::string node) {
    const auto find = [&](const std::string& name) {
        return std::find_if(graph.begin(), graph.end(), [&](const auto& n) { return n.node_name == name; });
    };
    for (auto at = find(node); at != graph.end() && disk.nodes.size() < 1000; at = find(at->backing_node)) {
        disk.nodes.push_back(at->node_name);
        disk.files.push_back(at->file);
    }
}

void look_at_disk_nodes(Session& session, Facts& facts) {
    const bool online = facts.online();
    const auto graph = online ? qmp::query_named_block_nodes(session.monitor(), quick()) : std::vector<qmp::BlockNode>{};
    const auto devices = online ? qmp::query_device_nodes(session.monitor(), quick()) : std::map<std::string, std::string>{};
    for (const auto& disk : facts.live.disks) {
        plan::DiskFacts known{disk.target, {}, {}, {}, first_free_number(graph, disk.target), true};
        if (!disk.empty()) known.folder_writable = os::is_writable_folder(text::folder_of(disk.source));
        if (online) {
            known.device = machine::disk_device_id(facts.live, disk.target);
            const auto node = devices.find(known.device);
            if (node != devices.end()) look_at_graph(known, graph, node->second);
        } else {
            for (auto path = disk.source; !path.empty() && facts.file(path); path = facts.file(path)->backing) known.files.push_back(path);
        }
        facts.disks.push_back(std::move(known));
    }
}

/// The file that QEMU writes must be the one that we believe it writes: somebody may have committed or switched behind
/// our back, and a snapshot of the wrong file would be none.
void check_leaves(const Facts& facts) {
    for (const auto& disk : facts.disks) {
        const auto* said = facts.live.find_disk(disk.target);
        if (!said || said->empty() || disk.files.empty() || disk.files.front() == said->source) continue;
        throw Error(ErrorCode::conflict,
                    fmt::format("disk '{}' is in use as {}, but domsnap knows it as {}: it was changed behind domsnap's back", disk.target,
                                disk.files.front(), said->source),
                    "shut the domain down, and check its definition against its images");
    }
}

bool host_allows_userfaultfd(std::string& why_not) {
    if (geteuid() == 0 || access("/dev/userfaultfd", R_OK | W_OK) == 0) return true;
    if (text::trim(os::read_file_start("/proc/sys/vm/unprivileged_userfaultfd", 16)) == "1") return true;
    why_not = "this user may not use userfaultfd (needs root, /dev/userfaultfd or vm.unprivileged_userfaultfd=1)";
    return false;
}

void look_for_background(Session& session, Facts& facts) {
    if (facts.state != model::SnapshotState::running || !host_allows_userfaultfd(facts.why_not_background)) return;
    try {
        // Only setting it tells: QEMU then checks the host's kernel and how the guest's RAM is mapped.
        qmp::set_migration_capabilities(session.monitor(), {"background-snapshot"}, quick());
        qmp::set_migration_capabilities(session.monitor(), {}, quick());
        facts.background_snapshot = true;
    } catch (const Error& error) {
        facts.why_not_background = error.what();
    }
}

/// After the memory of a paused guest was saved, QEMU treats its images as handed over ("postmigrate") and takes no
/// snapshot of them. QEMU 10 can take them back by a command; 7.2 does it only on its way to running, so there the guest
/// runs for the moment between two commands.
void take_images_back(Session& session) {
    auto& qemu = session.monitor();
    if (qmp::query_status(qemu, quick()).status != "postmigrate") return;
    if (qmp::query_capabilities(qemu, quick()).has("blockdev-set-active")) {
        qemu.run("blockdev-set-active", {{"active", true}}, quick());
        return;
    }
    qmp::cont(qemu, quick());
    qmp::stop(qemu, quick());
}

Facts observe(Session& session) {
    Facts facts;
    facts.definition = session.definition();
    facts.live = session.live();
    if (const auto process = session.process()) {
        facts.state = observed_state(qmp::query_status(session.monitor(), quick()));
        facts.memory_in_use = std::min(resident_memory(*process), facts.live.memory + (64 << 20));
    }
    facts.memory_folder = session.folder().memory_folder();
    facts.now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (const unsigned char byte : os::random_bytes(4)) facts.unique += fmt::format("{:02x}", byte);
    return facts;
}

std::string image_problem(const Session& session, const model::Snapshot& snapshot) {
    try {
        if (memory::capture_in_progress(snapshot.memory.file)) return fmt::format("{} is still being written", snapshot.memory.file);
        const auto image = memory::ImageReader::open(snapshot.memory.file);
        return identity_problem(image.identity(), snapshot, session.definition());
    } catch (const Error& error) {
        return error.what();
    }
}

} // namespace

model::SnapshotState observed_state(const qmp::Status& status) {
    if (status.running) return model::SnapshotState::running;
    if (status.status == "shutdown") return model::SnapshotState::shutdown;
    if (status.status == "guest-panicked" || status.status == "internal-error") return model::SnapshotState::crashed;
    return model::SnapshotState::paused;
}

Facts observe_for_create(Session& session, const std::vector<NamedFile>& named) {
    if (session.process()) take_images_back(session);
    Facts facts = observe(session);
    look_at_disks(facts, facts.live);
    for (const auto& file : named)
        if (!file.format.empty() && os::exists(file.path)) look_at(facts, file.path, file.format);
    look_at_disk_nodes(session, facts);
    look_at_folders(facts, named);
    look_for_background(session, facts);
    check_leaves(facts);
    return facts;
}

Facts observe_for_revert(Session& session, const model::SnapshotTree& tree, const model::Snapshot& snapshot) {
    Facts facts = observe_for_delete(session, tree);
    if (snapshot.memory.location == model::Location::external)
        facts.images[snapshot.memory.file].problem = image_problem(session, snapshot);
    return facts;
}

Facts observe_for_delete(Session& session, const model::SnapshotTree& tree) {
    Facts facts = observe(session);
    look_at_disks(facts, facts.live);
    look_at_disks(facts, facts.definition);
    look_at_points(facts, tree);
    look_at_disk_nodes(session, facts);
    look_at_folders(facts, {});
    return facts;
}

std::map<std::string, std::vector<machine::ChainImage>> chains_of(const model::Domain& domain) {
    std::map<std::string, std::vector<machine::ChainImage>> chains;
    for (const auto& disk : domain.disks) {
        if (disk.empty()) continue;
        try {
            for (const auto& one : image::chain(disk.source, disk.format)) chains[disk.target].push_back({one.path, one.format});
        } catch (const Error& error) {
            throw Error(error.code(), fmt::format("disk '{}' of domain '{}': {}", disk.target, domain.name, error.what()), error.hint());
        }
    }
    return chains;
}

static model::Element backing_store(const std::vector<machine::ChainImage>& chain, size_t at) {
    model::Element store("backingStore");
    if (at >= chain.size()) return store;
    store.set_attribute("type", "file");
    model::Element format("format"), source("source");
    format.set_attribute("type", chain[at].format);
    source.set_attribute("file", chain[at].path);
    const int depth = 3 + static_cast<int>(at) - 1;
    store.append(std::move(format), depth);
    store.append(std::move(source), depth);
    store.append(backing_store(chain, at + 1), depth);
    return store;
}

void show_chain(model::Domain& domain, const std::string& target, const std::vector<machine::ChainImage>& chain) {
    auto* devices = domain.document.child("devices");
    if (!devices) return;
    for (auto* disk : devices->elements("disk")) {
        const auto* element = disk->child("target");
        if (!element || element->attribute("dev") != target) continue;
        disk->remove("backingStore");
        disk->insert_before("target", backing_store(chain, 1), 2);
    }
}

uint64_t resident_memory(const os::ProcessId& process) {
    try {
        const auto fields = text::split(os::read_file_start(fmt::format("/proc/{}/statm", process.pid), 256), ' ');
        return fields.size() > 1 ? text::to_u64(fields[1]).value_or(0) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
    } catch (const Error&) {
        return 0; // it ended while we looked
    }
}

} // namespace domsnap::engine
