// snapshot-create, the files that it freezes: nobody may write to them as long as the snapshot exists, and
// they are known again by what is noted of them.
#include "plan/create_draft.h"
#include "plan/points.h"

#include <algorithm>

namespace domsnap::plan {

static void add(std::vector<FrozenFile>& files, FrozenFile file) {
    const auto is_it = [&](const auto& other) { return other.path == file.path; };
    if (std::none_of(files.begin(), files.end(), is_it)) files.push_back(std::move(file));
}

static void add_chain(std::vector<FrozenFile>& files, const model::DiskPoint& point, const Facts& facts,
                      const model::SnapshotTree& tree) {
    add(files, {point.file, point.format, true});
    for (const auto* file = facts.file(point.file); file && !file->backing.empty();
         file = facts.file(file->backing)) {
        if (is_whole_point(tree.all(), file->backing)) return;
        add(files, {file->backing, file->backing_format, false});
    }
}

std::vector<FrozenFile> files_to_note(const CreateDraft& draft, const model::SnapshotTree& tree) {
    const auto& record = draft.record;
    std::vector<FrozenFile> files;
    for (const auto& disk : record.disks)
        if (disk.point && disk.point->tag.empty()) add_chain(files, *disk.point, draft.facts, tree);
    for (const auto& own : record.own_files())
        add(files, {own.file, own.file == record.memory.file ? "" : "raw", true});
    if (record.memory_point && !uses(draft.facts.live, record.memory_point->file))
        add(files, {record.memory_point->file, record.memory_point->format, true});
    return files;
}

} // namespace domsnap::plan
