// What the ledger has too much. A file is left over if domsnap made it, it is still that file, and nothing
// needs it: no snapshot, no disk, no image that rests on it, of this domain or another.
#include "base/error.h"
#include "base/text.h"
#include "engine/in_place.h"
#include "engine/known_files.h"
#include "engine/others.h"
#include "engine/verify.h"
#include "image/header.h"
#include "os/file.h"
#include "plan/points.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

struct Needed {
    std::set<std::string> files;
    bool all = true; ///< false: an image or a record could not be read, and nobody knows what it needs
};

void add_all(Needed& needed, const plan::Facts& facts, const model::SnapshotTree& tree) {
    for (const auto* domain : {&facts.definition, &facts.live})
        for (const auto& disk : domain->disks)
            for (const auto& path : plan::chain_from(facts.files, disk.source))
                needed.files.insert(path);
    for (const auto& snapshot : tree.all())
        for (const auto& path : files_of(snapshot, facts))
            needed.files.insert(path);
    for (const auto& [path, file] : facts.files)
        if (!file.problem.empty()) needed.all = false;
    for (const auto& [path, image] : facts.images)
        if (!image.is_link_known) needed.all = false;
}

/// The user may have made an overlay over it, that no domain knows.
void add_neighbours(Needed& needed, const std::string& folder) {
    for (const auto& name : os::list_folder(folder)) {
        const auto path = folder + "/" + name;
        try {
            const auto info = os::file_info(path);
            const auto header = info && info->is_regular ? image::header(path) : std::nullopt;
            if (header && !header->backing.empty())
                needed.files.insert(image::named_file(header->backing, path, "backing file"));
        } catch (const Error&) { // no image that could rest on anything
        }
    }
}

bool is_still_that(const model::KnownFile& file) { return !is_elsewhere(file, look_again(file)); }

/// Left over, as far as this domain alone can tell.
std::vector<model::KnownFile> candidates(const std::vector<model::KnownFile>& known, const Needed& needed) {
    std::vector<model::KnownFile> files;
    for (const auto& file : known) {
        try {
            if (file.made && !needed.files.contains(file.path) && is_still_that(file)) files.push_back(file);
        } catch (const Error&) { // gone, or cannot be recognized: not ours to remove
        }
    }
    return files;
}

std::vector<std::string> damaged_entries(const Session& session) {
    std::vector<std::string> damaged;
    for (const auto& entry : session.folder().file_entries()) {
        try {
            Ledger::read(session.folder(), entry);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::corrupt) throw;
            damaged.push_back(entry);
        }
    }
    return damaged;
}

} // namespace

std::vector<std::string> look_for_leftovers(Session& session, const plan::Facts& facts,
                                            const model::SnapshotTree& tree, bool repair,
                                            std::vector<std::string>& repaired) {
    std::vector<std::string> problems;
    Needed needed;
    add_all(needed, facts, tree);
    for (const auto& path : ready_files(session))
        needed.files.insert(path);
    const auto take = [&](const std::string& found, const std::string& done, const auto& remove) {
        if (!repair || !needed.all) return problems.push_back(found);
        remove();
        repaired.push_back(done);
    };
    for (const auto& entry : damaged_entries(session))
        take(fmt::format("{} is a damaged entry of the ledger", entry), fmt::format("{} was removed", entry),
             [&] { os::remove_file_durably(entry); });
    auto ledger = session.ledger();
    const auto known = ledger.all({});
    for (const auto& file : known)
        if (!needed.files.contains(file.path) && !os::exists(file.path))
            take(fmt::format("the ledger knows {}, which is gone and which nothing needs", file.path),
                 fmt::format("{}, which is gone, was forgotten", file.path),
                 [&] { ledger.forget(file.path); });
    if (candidates(known, needed).empty()) return problems;
    needed.files.merge(files_of_others(session, facts));
    for (const auto& file : candidates(known, needed))
        add_neighbours(needed, text::folder_of(file.path));
    for (const auto& file : candidates(known, needed))
        take(fmt::format("{} is left over: domsnap made it, and nothing needs it", file.path),
             fmt::format("{}, which nothing needed, was removed", file.path), [&] {
                 os::remove_file_durably(file.path);
                 ledger.forget(file.path);
             });
    return problems;
}

} // namespace domsnap::engine
