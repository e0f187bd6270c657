#include "plan/points.h"

#include "plan/image_chain.h"

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

std::vector<std::string> chain_from(const std::map<std::string, FileFacts>& files, std::string path) {
    std::vector<std::string> chain;
    std::set<std::string> met; // headers are hostile: they may form a circle
    while (!path.empty() && met.insert(path).second) {
        const auto file = files.find(path);
        chain.push_back(std::move(path));
        path = file == files.end() ? "" : file->second.backing;
    }
    return chain;
}

std::set<std::string> frozen_files(const std::vector<model::Snapshot>& snapshots,
                                   const std::map<std::string, FileFacts>& files) {
    std::set<std::string> frozen;
    for (const auto& snapshot : snapshots)
        for (const auto& point : snapshot.points()) {
            auto path = point.tag.empty() ? point.file : "";
            // What is below one that was met before has been met too.
            while (!path.empty() && frozen.insert(path).second) {
                const auto file = files.find(path);
                path = file == files.end() ? "" : file->second.backing;
            }
        }
    return frozen;
}

std::vector<std::string> needed_by(const std::vector<model::Snapshot>& snapshots, const Facts& facts,
                                   const std::string& path) {
    std::vector<std::string> names;
    const auto is_in = [&](const std::vector<std::string>& chain) {
        return std::find(chain.begin(), chain.end(), path) != chain.end();
    };
    for (const auto& snapshot : snapshots) {
        const auto points = snapshot.points();
        const auto own = snapshot.own_files();
        if (std::any_of(points.begin(), points.end(),
                        [&](const auto& point) { return is_in(chain_from(facts.files, point.file)); }) ||
            std::any_of(own.begin(), own.end(), [&](const auto& file) { return file.file == path; }) ||
            is_in(image_chain(facts, snapshot.memory.file)))
            names.push_back(snapshot.name);
    }
    return names;
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
