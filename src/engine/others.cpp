#include "engine/others.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/forks.h"
#include "engine/mapped_image.h"
#include "image/header.h"
#include "os/file.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::engine {

namespace {

template <class... Kinds>
bool is_one_of(const plan::Action& action) {
    return (std::holds_alternative<Kinds>(action) || ...);
}

bool touches_images(const plan::Plan& plan, const plan::Facts& facts) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const plan::Action& action) {
        if (const auto* remove = std::get_if<plan::RemoveFile>(&action))
            return facts.files.contains(remove->path);
        return is_one_of<plan::Merge, plan::CommitActive, plan::Pull, plan::ApplyInternal>(action);
    });
}

/// The file and what lies below it. One that is not there reads nothing.
void add_chain(const plan::Facts& facts, std::set<std::string>& files, std::string path, std::string format) {
    while (!path.empty() && files.insert(path).second) {
        if (const auto* known = facts.file(path); known && known->problem.empty()) {
            path = known->backing;
            format = known->backing_format;
        } else if (format == "raw") {
            return;
        } else {
            const auto header = os::exists(path) ? image::header(path) : std::nullopt;
            if (!header) return;
            path = image::named_file(header->backing, path, "backing file");
            format = header->backing_format;
        }
    }
}

void add_files(const plan::Facts& facts, std::set<std::string>& files, const View& other) {
    for (const auto& domain : {other.definition(), other.live()})
        for (const auto& disk : domain.disks)
            if (!disk.empty()) add_chain(facts, files, disk.source, disk.format);
    const auto tree = other.snapshot_heads();
    for (const auto& snapshot : tree.all()) {
        if (snapshot.memory_point)
            add_chain(facts, files, snapshot.memory_point->file, snapshot.memory_point->format);
        for (const auto& disk : snapshot.disks)
            if (disk.point) add_chain(facts, files, disk.point->file, disk.point->format);
    }
    // After the chains, which end at a file that is there already.
    if (const auto fork = fork_of(other.folder())) {
        files.insert(fork->image);
        for (const auto& disk : fork->disks)
            if (!disk.file.empty()) add_chain(facts, files, disk.file, {});
    }
    if (const auto ram = mapped_ram(other); ram && !ram->copy) files.insert(ram->image);
}

} // namespace

std::set<std::string> files_that_are_read(const View& view) {
    std::set<std::string> files;
    add_files(plan::Facts{}, files, view);
    return files;
}

std::set<std::string> files_of_others(const Session& session, const plan::Facts& facts) {
    std::set<std::string> files;
    for (const auto& name : store::domain_names(session.folders().state)) {
        if (name == session.name()) continue;
        try {
            add_files(facts, files, View(session.folders(), name));
        } catch (const Error& error) {
            session.control().warn(fmt::format(
                "no image file is removed or merged, because what domain '{}' reads is not known: {}",
                text::printable(name), error.what()));
            for (const auto& [path, file] : facts.files)
                files.insert(path);
        }
    }
    return files;
}

plan::Plan plan_beside_others(Session& session, plan::Facts& facts,
                              const std::function<plan::Plan()>& make_plan) {
    auto plan = make_plan();
    if (!touches_images(plan, facts)) return plan;
    facts.foreign = files_of_others(session, facts);
    return facts.foreign.empty() ? plan : make_plan();
}

} // namespace domsnap::engine
