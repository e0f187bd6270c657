#include "engine/adoption_snapshots.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/libvirt_files.h"
#include "engine/look.h"
#include "engine/memory_file.h"
#include "engine/memory_identity.h"
#include "engine/redefine.h"
#include "image/vm_state.h"
#include "memory/save_file.h"
#include "os/file.h"
#include "xml/document.h"
#include "xml/snapshot.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

using model::Location;

namespace {

std::string name_of_file(const std::string& path) {
    const auto file = text::base_name(path);
    return file.substr(0, file.size() - std::string_view(".xml").size());
}

/// From libvirt 9.9 on a revert makes another overlay and may remove the first: <revertDisks> names it.
std::vector<std::string> overlays_of_reverts(const model::Element& root) {
    std::vector<std::string> files;
    if (const auto* disks = root.child("revertDisks"))
        for (const auto* disk : disks->elements("disk"))
            if (const auto* source = disk->child("source")) files.push_back(source->attribute("file"));
    return files;
}

/// Whether the file rests on just that one, as its header says.
bool rests_on(const plan::Facts& facts, const std::string& overlay, const std::string& base) {
    const auto* file = facts.file(overlay);
    return file && file->problem.empty() && file->backing == base;
}

std::string overlay_problem(const model::SnapshotDisk& disk, const ReadSnapshot& read,
                            const plan::Facts& facts) {
    const auto& base = disk.point->file;
    for (const auto& other : read.other_overlays)
        if (rests_on(facts, other, base)) return {};
    const auto* overlay = facts.file(disk.source);
    if (!overlay)
        return fmt::format("its overlay {} is not there, and nobody knows whether it was merged into {}",
                           disk.source, base);
    if (!overlay->problem.empty()) return fmt::format("its overlay {}: {}", disk.source, overlay->problem);
    if (overlay->backing == base) return {};
    return fmt::format("its overlay {} rests on {}, and not on {}, as libvirt's metadata say", disk.source,
                       overlay->backing.empty() ? "nothing" : overlay->backing, base);
}

std::string point_problem(const model::SnapshotDisk& disk, const ReadSnapshot& read,
                          const model::Domain& definition, const plan::Facts& facts) {
    if (disk.location != Location::internal && disk.location != Location::external) return {};
    if (!disk.point)
        return fmt::format("the domain that it was taken of has no file for disk '{}'", disk.name);
    const auto& [file, format, tag] = *disk.point;
    const auto* now = facts.file(file);
    if (!now) return fmt::format("{} was not found", file);
    if (!now->problem.empty()) return now->problem;
    if (!tag.empty())
        return now->tags.contains(tag) ? "" : fmt::format("{} holds no internal snapshot '{}'", file, tag);
    for (const auto& used : definition.disks)
        if (used.source == file && !used.defaults_to_no())
            return fmt::format("{}, which it froze, is what the domain writes to now", file);
    return overlay_problem(disk, read, facts);
}

std::string memory_problem(const model::Snapshot& snapshot, const model::Domain& definition,
                           const Control& control) {
    if (snapshot.memory.location == Location::internal) {
        if (!snapshot.memory_point) return "no disk of the domain can hold its memory";
        const auto& [file, format, tag] = *snapshot.memory_point;
        return image::vm_state_size(file, tag) ? "" : fmt::format("'{}' in {} holds no memory", tag, file);
    }
    if (snapshot.memory.location != Location::external) return {};
    const auto identity = identity_of_memory(snapshot.memory.file);
    if (auto words = identity_problem(identity, snapshot, definition); !words.empty()) return words;
    verify_memory(snapshot.memory.file, control);
    return {};
}

} // namespace

ReadSnapshot read_libvirt_snapshot(const std::string& path) {
    ReadSnapshot read;
    read.snapshot.name = name_of_file(path);
    try {
        const auto root = xml::parse_root(LibvirtFiles::read(path), "domainsnapshot", path);
        auto snapshot = xml::snapshot_from(root, {.redefine = true, .disk_only = false, .record = false});
        model::check_new_snapshot_name(snapshot.name);
        read.snapshot = std::move(snapshot);
        read.other_overlays = overlays_of_reverts(root);
        if (read.snapshot.domain.empty() || !read.snapshot.domain.front().find_attribute("type"))
            read.problem = "its metadata do not say what machine it was taken of (libvirt before 0.9.5)";
        else
            derive_points(read.snapshot);
    } catch (const Error& error) {
        read.problem = error.what();
    }
    return read;
}

void look_at_snapshot_files(plan::Facts& facts, const ReadSnapshot& read) {
    const auto& snapshot = read.snapshot;
    if (snapshot.memory_point) look_at(facts, snapshot.memory_point->file, snapshot.memory_point->format);
    auto overlays = read.other_overlays;
    for (const auto& disk : snapshot.disks) {
        if (disk.point) look_at(facts, disk.point->file, disk.point->format);
        if (!disk.source.empty()) overlays.push_back(disk.source);
    }
    for (const auto& overlay : overlays)
        if (os::exists(overlay)) look_at(facts, overlay, "qcow2"); // libvirt makes no others
}

std::string snapshot_problem(const ReadSnapshot& read, const model::Domain& definition,
                             const plan::Facts& facts, const Control& control) {
    if (!read.problem.empty()) return read.problem;
    const auto& snapshot = read.snapshot;
    try {
        const auto was = model::domain_from(snapshot.domain.front());
        if (was.uuid != definition.uuid) return fmt::format("it is of another domain (uuid {})", was.uuid);
        for (const auto& disk : snapshot.disks)
            if (auto words = point_problem(disk, read, definition, facts); !words.empty())
                return fmt::format("disk '{}': {}", disk.name, words);
        return memory_problem(snapshot, definition, control);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        return error.what();
    }
}

std::string snapshot_words(const model::Snapshot& snapshot) {
    std::vector<std::string> parts;
    if (snapshot.memory.location == Location::internal) parts.push_back("internal memory");
    if (snapshot.memory.location == Location::external) {
        const auto& file = snapshot.memory.file;
        const bool saved = memory::SaveFile::is_one(file);
        const auto packing = saved ? memory::SaveFile::open(file).packing() : memory::Packing::none;
        parts.push_back(fmt::format(
            "memory in {}{}", file,
            packing == memory::Packing::none ? "" : fmt::format(" ({})", memory::to_string(packing))));
    }
    for (const auto location : {Location::internal, Location::external}) {
        std::vector<std::string> disks;
        for (const auto& disk : snapshot.disks)
            if (disk.location == location) disks.push_back(disk.name);
        if (!disks.empty())
            parts.push_back(fmt::format("{} of {}", model::to_string(location), text::join(disks, ", ")));
    }
    return text::join(parts, "; ");
}

} // namespace domsnap::engine
