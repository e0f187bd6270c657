#include "plan/points.h"

#include <algorithm>

namespace domsnap::plan {

template <class Wanted>
static bool any_point(const std::vector<model::Snapshot>& snapshots, const Wanted& wanted) {
    for (const auto& snapshot : snapshots)
        for (const auto& point : snapshot.points())
            if (wanted(point)) return true;
    return false;
}

FrozenPoints::FrozenPoints(const std::vector<model::Snapshot>& snapshots) {
    any_point(snapshots, [&](const model::DiskPoint& point) {
        files.insert(point.file);
        if (point.tag.empty())
            whole.insert(point.file);
        else
            tags.emplace(point.file, point.tag);
        return false;
    });
}

bool is_point(const std::vector<model::Snapshot>& snapshots, const std::string& file) {
    return any_point(snapshots, [&](const model::DiskPoint& p) { return p.file == file; });
}

bool is_whole_point(const std::vector<model::Snapshot>& snapshots, const std::string& file) {
    return any_point(snapshots, [&](const model::DiskPoint& p) { return p.file == file && p.tag.empty(); });
}

std::set<std::string> whole_points(const std::vector<model::Snapshot>& snapshots) {
    return FrozenPoints(snapshots).whole;
}

bool is_point(const std::vector<model::Snapshot>& snapshots, const std::string& file,
              const std::string& tag) {
    return any_point(snapshots, [&](const model::DiskPoint& p) { return p.file == file && p.tag == tag; });
}

std::vector<std::string> overlays_of(const std::map<std::string, FileFacts>& files, const std::string& path) {
    std::vector<std::string> overlays;
    for (const auto& [name, file] : files)
        if (file.backing == path) overlays.push_back(name);
    return overlays;
}

bool uses(const model::Domain& domain, const std::string& file) {
    return std::any_of(domain.disks.begin(), domain.disks.end(),
                       [&](const auto& disk) { return disk.source == file; });
}

} // namespace domsnap::plan
