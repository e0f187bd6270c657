// What becomes of the disks in a revert: fresh overlays over what the snapshot froze, or internal snapshots
// brought back. In place, the overlays are opened in the running QEMU.
#include "base/error.h"
#include "plan/in_place.h"
#include "plan/names.h"
#include "plan/points.h"
#include "plan/record_content.h"

#include <fmt/format.h>

namespace domsnap::plan {

const FileFacts& usable_file(const RevertDraft& draft, const std::string& disk,
                             const model::DiskPoint& point) {
    return usable_file(draft.facts, draft.snapshot, disk, point);
}

/// Records made elsewhere do not say which disk holds the memory: the first internal one does, as in libvirt.
model::DiskPoint memory_point(const model::Snapshot& snapshot) {
    if (snapshot.memory_point) return *snapshot.memory_point;
    for (const auto& disk : snapshot.disks)
        if (disk.point && !disk.point->tag.empty()) return *disk.point;
    throw Error(ErrorCode::corrupt,
                fmt::format("snapshot '{}' has internal memory, but no disk that holds it", snapshot.name));
}

namespace {

void set_source(RevertDraft& draft, const std::string& target, const std::string& type,
                const std::string& path, const std::string& format) {
    if (draft.definition.find_disk(target))
        model::set_disk_source(draft.definition, target, type, path, format);
    if (draft.live.find_disk(target)) model::set_disk_source(draft.live, target, type, path, format);
}

/// The one that lies ready, or a new one.
std::string overlay_for(RevertDraft& draft, const model::SnapshotDisk& disk, const FileFacts& file) {
    const auto* ready = draft.in_place() ? ready_for(draft) : nullptr;
    if (ready) return ready->overlays.at(disk.name).path;
    const auto overlay = free_overlay(disk.point->file, std::to_string(draft.facts.now), draft.taken);
    draft.plan.steps.push_back(MakeOverlay{overlay, disk.point->file, disk.point->format, file.virtual_size});
    return overlay;
}

void plan_overlay(RevertDraft& draft, const model::SnapshotDisk& disk) {
    const auto& file = usable_file(draft, disk.name, *disk.point);
    const auto overlay = overlay_for(draft, disk, file);
    draft.plan.space += file.virtual_size;
    set_source(draft, disk.name, "file", overlay, "qcow2");
}

/// Going back to an internal snapshot changes the file's own content. Where an overlay or another snapshot
/// rests on that content, a copy takes its place: libvirt goes back all the same, and destroys the other
/// branch.
std::string plan_internal_file(RevertDraft& draft, const model::SnapshotDisk& disk) {
    const auto& file = usable_file(draft, disk.name, *disk.point);
    const auto& path = disk.point->file;
    if (overlays_of(draft.facts.files, path).empty() && !is_whole_point(draft.tree.all(), path) &&
        !draft.facts.foreign.contains(path))
        return path;
    const auto copy = free_overlay(path, std::to_string(draft.facts.now), draft.taken);
    draft.plan.steps.push_back(CopyImage{path, copy});
    draft.plan.space += file.actual_size;
    return copy;
}

/// A disk that the snapshot left out keeps its later content.
void keep_present(RevertDraft& draft, const std::string& target) {
    if (const auto* now = draft.facts.definition.find_disk(target); now && !now->empty())
        set_source(draft, target, now->type, now->source, now->format);
}

} // namespace

void plan_disks(RevertDraft& draft) {
    for (const auto& disk : draft.snapshot.disks) {
        if (!disk.point) {
            keep_present(draft, disk.name);
        } else if (disk.point->tag.empty()) {
            plan_overlay(draft, disk);
        } else {
            const auto path = plan_internal_file(draft, disk);
            set_source(draft, disk.name, "file", path, disk.point->format);
            draft.applied.push_back({path, disk.point->tag});
        }
    }
}

} // namespace domsnap::plan
