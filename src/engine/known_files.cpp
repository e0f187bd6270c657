#include "engine/known_files.h"

#include "base/error.h"
#include "base/text.h"
#include "os/identity.h"
#include "plan/image_chain.h"
#include "plan/points.h"

#include <fmt/format.h>

namespace domsnap::engine {

using plan::Facts;

namespace {

std::optional<model::KnownFile> known(const Session& session, const std::string& path) {
    try {
        return session.ledger().find(path);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::unsupported) throw;
        session.control().warn(fmt::format("{}; nothing is known of that file now", error.what()));
        return std::nullopt;
    }
}

std::string named(const std::vector<std::string>& snapshots) {
    if (snapshots.empty()) return {};
    std::vector<std::string> quoted;
    for (size_t i = 0; i < snapshots.size() && i < 5; ++i)
        quoted.push_back(fmt::format("'{}'", text::printable(snapshots[i])));
    const auto more = snapshots.size() - quoted.size();
    return fmt::format("; {} {}{} {} it", snapshots.size() == 1 ? "snapshot" : "snapshots",
                       text::join(quoted, ", "), more ? fmt::format(" and {} more", more) : "",
                       snapshots.size() == 1 ? "needs" : "need");
}

[[noreturn]] void refuse(const Session& session, const std::string& path, const std::string& what,
                         const std::vector<std::string>& snapshots) {
    const bool gone = !os::file_identity(path);
    throw Error(
        ErrorCode::conflict,
        fmt::format("{} {}: that was done behind domsnap's back{}", path, what, named(snapshots)),
        fmt::format("put it back as it was{}; snapshot-delete --metadata forgets a snapshot and leaves "
                    "its files",
                    gone ? ""
                         : fmt::format(", with its times (cp -p), or, if its content is right, say so "
                                       "with domsnap snapshot-verify {} --accept",
                                       session.name())));
}

void append(std::vector<std::string>& files, const std::vector<std::string>& more) {
    files.insert(files.end(), more.begin(), more.end());
}

} // namespace

std::string wrong_with(const model::KnownFile& known, bool frozen) {
    const auto now = os::file_identity(known.path);
    if (!now) return "is not there";
    if (!now->is_regular && !now->is_block) return "is no file any more";
    try {
        // A block device's node is made anew at each boot, and its times say nothing.
        const auto words = difference(known, look_again(known), frozen && !now->is_block);
        return words.empty() || words.starts_with("has") ? words : words + " since it was frozen";
    } catch (const Error& error) {
        return fmt::format("cannot be recognized ({})", error.what());
    }
}

void require_known(const Session& session, const Facts& facts, const model::SnapshotTree& tree,
                   const std::vector<std::string>& files) {
    const auto frozen = plan::frozen_files(tree.all(), facts.files);
    std::set<std::string> looked_at; // chains share what lies below
    for (const auto& path : files) {
        if (!looked_at.insert(path).second) continue;
        const auto entry = known(session, path);
        const bool gone = !os::file_identity(path);
        if (!entry && !gone) continue;
        const auto what = entry ? wrong_with(*entry, frozen.contains(path)) : "is not there";
        if (what.empty()) continue;
        const auto snapshots = plan::needed_by(tree.all(), facts, path);
        // What never was known of and what no snapshot needs was never there; others say so better.
        if (entry || !snapshots.empty()) refuse(session, path, what, snapshots);
    }
}

std::vector<std::string> files_of(const model::Domain& domain, const Facts& facts) {
    std::vector<std::string> files;
    for (const auto& disk : domain.disks)
        if (!disk.defaults_to_no()) append(files, plan::chain_from(facts.files, disk.source));
    return files;
}

std::vector<std::string> files_of(const model::Snapshot& snapshot, const Facts& facts) {
    std::vector<std::string> files;
    for (const auto& point : snapshot.points())
        append(files, plan::chain_from(facts.files, point.file));
    for (const auto& own : snapshot.own_files())
        files.push_back(own.file);
    append(files, plan::image_chain(facts, snapshot.memory.file));
    return files;
}

/// What rests on an image that goes and stays itself, with all that it needs. An image on which nothing rests
/// may be gone already.
static std::vector<std::string> images_to_fold(const Facts& facts,
                                               const std::vector<const model::Snapshot*>& doomed) {
    std::set<std::string> going;
    for (const auto* one : doomed)
        if (!one->memory.file.empty()) going.insert(one->memory.file);
    std::vector<std::string> files;
    for (const auto& image : going)
        for (const auto& child : plan::images_on(facts, image))
            if (!going.contains(child)) append(files, plan::image_chain(facts, child));
    return files;
}

std::vector<std::string> files_to_delete(const model::SnapshotTree& tree, const std::string& snapshot,
                                         const DeleteOptions& options, const Facts& facts) {
    std::vector<const model::Snapshot*> doomed;
    if (!options.children_only) doomed.push_back(&tree.get(snapshot));
    if (options.children || options.children_only) {
        const auto below = tree.descendants(snapshot);
        doomed.insert(doomed.end(), below.begin(), below.end());
    }
    std::vector<std::string> files;
    for (const auto* one : doomed)
        for (const auto& point : one->points()) {
            append(files, plan::chain_from(facts.files, point.file));
            append(files, plan::overlays_of(facts.files, point.file));
        }
    append(files, images_to_fold(facts, doomed));
    return files;
}

} // namespace domsnap::engine
