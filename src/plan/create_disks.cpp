// snapshot-create, its disks: which files are made, and what each disk is frozen in.
#include "base/text.h"
#include "plan/create_draft.h"
#include "plan/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::SnapshotDisk;

void check_new_file(const CreateDraft& draft, const std::string& path, const std::string& what) {
    if (!text::starts_with_slash(path))
        refuse(fmt::format("{} {} must be an absolute path", what, text::printable(path)));
    if (!draft.facts.folders.contains(text::folder_of(path)))
        refuse(fmt::format("{} {}: there is no folder {}", what, path, text::folder_of(path)),
               "make the folder first, or choose another place");
    const auto name = text::base_name(path);
    if (name.empty() || name == "." || name == ".." || name.size() > 255)
        refuse(fmt::format("{} {} cannot be the name of a file", what, text::printable(path)));
}

namespace {

void check_usable(const CreateDraft& draft, const SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    const auto* file = draft.facts.file(disk.source);
    if (!file || !file->problem.empty())
        throw Error(ErrorCode::conflict, fmt::format("disk '{}' cannot be saved: {}", wanted.name,
                                                     file ? file->problem : "its image was not found"));
}

/// The overlay's path: as the request says, or made from the disk's own.
std::string overlay_path(CreateDraft& draft, const SnapshotDisk& wanted, const model::Disk& disk) {
    if (wanted.source.empty()) {
        if (disk.type == "file") return free_overlay(disk.source, draft.record.name, draft.taken);
        refuse(fmt::format("cannot generate external snapshot name for disk '{}' on a '{}' device",
                           wanted.name, disk.type),
               fmt::format("name the overlay: --diskspec {},file=/path", wanted.name));
    }
    check_new_file(draft, wanted.source, fmt::format("overlay of disk '{}':", wanted.name));
    if (!draft.taken.insert(wanted.source).second)
        throw Error(
            ErrorCode::conflict,
            fmt::format("external snapshot file for disk {} already exists and is not a block device: {}",
                        wanted.name, wanted.source),
            "choose another file, or remove that one if nothing needs it");
    return wanted.source;
}

/// --reuse-external: an overlay that the user made. It must show what the disk holds, or the guest would see
/// another disk.
void check_reused(const SnapshotDisk& wanted, const model::Disk& disk, const Facts& facts) {
    if (wanted.source.empty())
        refuse(fmt::format("--reuse-external needs the file of disk '{}'", wanted.name),
               fmt::format("--diskspec {},file=/path", wanted.name));
    const auto* file = facts.file(wanted.source);
    const auto wrong = [&](const std::string& why) {
        refuse(fmt::format("{} cannot be reused for disk '{}': {}", wanted.source, wanted.name, why),
               fmt::format("make it with qemu-img create -f qcow2 -F {} -b {} {}", disk.format, disk.source,
                           wanted.source));
    };
    if (!facts.taken.contains(wanted.source) || !file)
        throw Error(ErrorCode::not_found,
                    fmt::format("missing existing file for disk {}: {}: No such file or directory",
                                wanted.name, wanted.source));
    if (!file->problem.empty()) wrong(file->problem);
    if (file->backing != disk.source)
        wrong(fmt::format("its backing file is {}, the disk is {}",
                          file->backing.empty() ? "none" : file->backing, disk.source));
    if (file->backing_format != disk.format)
        wrong(fmt::format("it takes its backing file for {}, the disk is {}", file->backing_format,
                          disk.format));
    const auto size = facts.file(disk.source)->virtual_size;
    if (file->virtual_size != size)
        wrong(fmt::format("it has {} bytes, the disk has {}", file->virtual_size, size));
}

void plan_external(CreateDraft& draft, SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    if (disk.empty())
        refuse(fmt::format("disk '{}' has no medium: there is nothing to save", wanted.name),
               "use snapshot='no' for it");
    if (wanted.type != "file")
        throw Error(ErrorCode::unsupported,
                    fmt::format("overlays on block devices are not built yet (disk '{}')", wanted.name));
    check_usable(draft, wanted);
    if (wanted.driver.empty()) wanted.driver = "qcow2";
    if (wanted.driver != "qcow2")
        throw Error(ErrorCode::unsupported,
                    fmt::format("external snapshot format for disk {} is unsupported: {}", wanted.name,
                                wanted.driver),
                    "overlays are qcow2");
    wanted.point = model::DiskPoint{disk.source, disk.format, {}};
    if (draft.options.reuse_external) return check_reused(wanted, disk, draft.facts);
    wanted.source = overlay_path(draft, wanted, disk);
    const auto* file = draft.facts.file(disk.source);
    draft.plan.steps.push_back(MakeOverlay{wanted.source, disk.source, disk.format, file->virtual_size});
    draft.plan.space += file->virtual_size; // an overlay may grow to that, in the guest's own time
}

void plan_internal(CreateDraft& draft, SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    if (disk.format != "qcow2")
        refuse(fmt::format("internal snapshot for disk {} unsupported: its image {} is {}", wanted.name,
                           disk.source, disk.format),
               "use external for this disk: internal snapshots need qcow2");
    if (disk.readonly || disk.empty())
        refuse(fmt::format("disk '{}' is read-only or empty: nothing can be saved in it", wanted.name),
               "use snapshot='no' for it");
    check_usable(draft, wanted);
    if (draft.facts.file(disk.source)->tags.contains(draft.record.name))
        throw Error(ErrorCode::conflict,
                    fmt::format("image {} of disk '{}' already holds an internal snapshot '{}'", disk.source,
                                wanted.name, draft.record.name),
                    "choose another name, or delete it with qemu-img snapshot -d");
    // QEMU cuts longer ones without a word (qemu 7.2 and 10.0: char name[256]).
    if (draft.record.name.size() > 255)
        refuse("an internal snapshot's name may have 255 bytes at most",
               "choose a shorter name, or external snapshots");
    wanted.point = model::DiskPoint{disk.source, disk.format, draft.record.name};
}

/// Nothing is made for it: its content is whatever the user copies.
void check_manual(const CreateDraft& draft, const SnapshotDisk& wanted) {
    if (draft.disk(wanted).empty())
        refuse(fmt::format("disk '{}' has no medium: there is nothing to copy", wanted.name),
               "use snapshot='no' for it");
}

} // namespace

void plan_disks(CreateDraft& draft) {
    for (auto& wanted : draft.record.disks) {
        if (wanted.location == Location::external)
            plan_external(draft, wanted);
        else if (wanted.location == Location::internal)
            plan_internal(draft, wanted);
        else if (wanted.location == Location::manual)
            check_manual(draft, wanted);
    }
    const auto is_saved = [](const SnapshotDisk& d) { return d.location != Location::no; };
    if (draft.has_memory(Location::no) &&
        std::none_of(draft.record.disks.begin(), draft.record.disks.end(), is_saved))
        refuse("nothing selected for snapshot",
               "select a disk (--diskspec DISK,snapshot=external), or memory");
}

std::vector<OverlaySwitch> overlay_switches(const CreateDraft& draft) {
    std::vector<OverlaySwitch> switches;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::external) continue;
        const auto& known = draft.disk_facts(wanted);
        const auto& disk = draft.disk(wanted);
        switches.push_back({wanted.name, known.device, known.nodes.at(0), disk.source, disk.format,
                            fmt::format("{}-{}", wanted.name, known.next_node), wanted.source});
    }
    return switches;
}

std::vector<InternalPoint> internal_points(const CreateDraft& draft) {
    std::vector<InternalPoint> points;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::internal) continue;
        const auto& known = draft.disk_facts(wanted);
        points.push_back(
            {wanted.name, known.nodes.empty() ? "" : known.nodes[0], wanted.point->file, wanted.point->tag});
    }
    return points;
}

} // namespace domsnap::plan
