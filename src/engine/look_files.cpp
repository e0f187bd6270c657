#include "engine/look.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/forks.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "os/file_system.h"
#include "os/identity.h"
#include "plan/points.h"

#include <fmt/format.h>

namespace domsnap::engine {

using plan::Facts;

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
            for (const auto& snapshot : info.snapshots)
                file.tags.insert(snapshot.tag);
            image::require_plain_backing(info);
            if (info.corrupt)
                file.problem =
                    fmt::format("{} is marked corrupt: repair it with qemu-img check -r all", path);
        } catch (const Error& error) {
            file.problem = error.what();
            return; // what a header that is refused names is not opened
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
            if (!disk.source.empty() && os::exists(disk.source))
                look_at(facts, disk.source, disk.driver.empty() ? "qcow2" : disk.driver);
        }
    }
}

static void look_at_folder(Facts& facts, const std::string& folder) {
    if (facts.folders.contains(folder) || !os::exists(folder)) return;
    facts.folders.insert(folder);
    facts.free_space[folder] = os::free_space(folder);
    for (const auto& name : os::list_folder(folder))
        facts.taken.insert(folder == "/" ? "/" + name : folder + "/" + name);
}

void look_at_folders(Facts& facts, const std::vector<NamedFile>& named) {
    look_at_folder(facts, facts.memory_folder);
    look_at_folder(facts, facts.firmware_folder);
    std::vector<std::string> paths;
    for (const auto& file : named)
        paths.push_back(file.path);
    for (const auto* domain : {&facts.definition, &facts.live})
        for (const auto& disk : domain->disks)
            if (!disk.empty() && disk.type == "file") paths.push_back(disk.source);
    for (const auto& [path, file] : facts.files)
        paths.push_back(path);
    for (const auto& [path, image] : facts.images)
        paths.push_back(path);
    for (const auto& path : paths)
        if (text::starts_with_slash(path)) look_at_folder(facts, text::folder_of(path));
}

static bool is_an_image(model::FileRole role) {
    return role == model::FileRole::overlay || role == model::FileRole::copy;
}

/// A given file that lies below another given one, or below a copy of one, is a base image that no guest of
/// this domain ever wrote to: others may rest on it.
static void look_at_given_files(Facts& facts, const std::vector<model::KnownFile>& known) {
    std::set<std::string> below;
    for (const auto& file : known) {
        if (file.role != model::FileRole::given && file.role != model::FileRole::copy) continue;
        if (file.header) below.insert(file.header->backing);
        if (const auto* now = facts.file(file.path)) below.insert(now->backing);
    }
    for (const auto& file : known)
        if (file.role == model::FileRole::given && !below.contains(file.path)) facts.given.insert(file.path);
}

void look_at_made_files(Facts& facts, const Session& session) {
    const auto known = session.ledger().all(session.control());
    for (const auto& file : known) {
        if (!file.made) continue;
        const auto now = os::file_identity(file.path);
        if (!now || now->inode != file.place.inode || now->born != file.place.born) continue;
        facts.made.insert(file.path);
        // One that no record names any more may still rest on a file that goes.
        if (is_an_image(file.role)) look_at(facts, file.path, "qcow2");
    }
    look_at_given_files(facts, known);
    // What a fork rests on is the origin's, also when nobody reads it any more but the fork.
    if (const auto fork = fork_of(session.folder()); fork && !fork->adopted())
        for (const auto& disk : fork->disks)
            for (const auto& path : plan::chain_from(facts.files, disk.file))
                facts.given.erase(path);
}

} // namespace domsnap::engine
