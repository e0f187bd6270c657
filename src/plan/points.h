// Which files a set of snapshots needs, and for what.
#pragma once

#include "model/snapshot.h"
#include "plan/facts.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace domsnap::plan {

/// What a set of snapshots froze, to be asked often.
struct FrozenPoints {
    std::set<std::string> files, whole; ///< all; those that were frozen as a whole
    std::set<std::pair<std::string, std::string>> tags;
    explicit FrozenPoints(const std::vector<model::Snapshot>& snapshots = {});
};

/// True if one of the snapshots froze something in that file.
bool is_point(const std::vector<model::Snapshot>& snapshots, const std::string& file);
/// True if one of them froze the whole file (not an internal snapshot in it).
bool is_whole_point(const std::vector<model::Snapshot>& snapshots, const std::string& file);
bool is_point(const std::vector<model::Snapshot>& snapshots, const std::string& file, const std::string& tag);
/// The files that they froze as a whole.
std::set<std::string> whole_points(const std::vector<model::Snapshot>& snapshots);
/// Whether somebody's frozen content would change with the file: it is a whole point, or below one.
std::set<std::string> frozen_files(const std::vector<model::Snapshot>& snapshots,
                                   const std::map<std::string, FileFacts>& files);
/// The snapshots that could not be gone back to without the file, by name.
std::vector<std::string> needed_by(const std::vector<model::Snapshot>& snapshots, const Facts& facts,
                                   const std::string& path);
/// The file and what lies below it, top first, as far as it is known.
std::vector<std::string> chain_from(const std::map<std::string, FileFacts>& files, std::string path);

/// The files that have this one as their backing file, by path.
std::vector<std::string> overlays_of(const std::map<std::string, FileFacts>& files, const std::string& path);
/// True if one of the domain's disks has it as its source.
bool uses(const model::Domain& domain, const std::string& file);

} // namespace domsnap::plan
