#include "plan/manual.h"

#include "base/error.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

static std::vector<std::string> manual_disks(const model::Snapshot& snapshot) {
    std::vector<std::string> targets;
    for (const auto& disk : snapshot.disks)
        if (disk.location == model::Location::manual) targets.push_back(disk.name);
    return targets;
}

bool has_manual(const model::Snapshot& snapshot) { return !manual_disks(snapshot).empty(); }

std::vector<std::string> copies_to_make(const model::Snapshot& snapshot, const Facts& facts, bool halted) {
    std::vector<std::string> tasks;
    for (const auto& target : manual_disks(snapshot)) {
        const auto& source = facts.live.find_disk(target)->source;
        tasks.push_back(facts.online() && !halted
                            ? fmt::format("copy disk '{}' now ({}): the guest is paused for it; then: "
                                          "domsnap resume {}",
                                          target, source, facts.live.name)
                            : fmt::format("copy disk '{}' now ({}), before domain '{}' is started again",
                                          target, source, facts.live.name));
    }
    return tasks;
}

/// Where the copies belong: a disk without a point keeps the file that it has now.
static std::string places(const std::vector<std::string>& targets, const Facts& facts) {
    std::string out;
    for (const auto& target : targets)
        if (const auto* disk = facts.definition.find_disk(target))
            out += fmt::format("{}the copy of '{}' into {} ({})", out.empty() ? "" : ", ", target,
                               disk->source, disk->format);
    return out;
}

void check_put_back(const model::Snapshot& snapshot, const RevertOptions& options, const Facts& facts) {
    const auto targets = manual_disks(snapshot);
    if (targets.empty()) return;
    if (facts.has_process)
        throw Error(
            ErrorCode::conflict,
            fmt::format("disk '{}' of snapshot '{}' is a copy of yours (snapshot='manual'), and it cannot "
                        "be put back while domain '{}' runs",
                        targets.front(), snapshot.name, facts.definition.name),
            fmt::format("domsnap destroy {}; put {}; then revert with --force", facts.definition.name,
                        places(targets, facts)));
    if (!options.force)
        throw Error(ErrorCode::conflict,
                    fmt::format("revert requires force: disk '{}' of snapshot '{}' is a copy of yours "
                                "(snapshot='manual'), and only you can put it back",
                                targets.front(), snapshot.name),
                    fmt::format("put {}; then revert with --force", places(targets, facts)));
}

} // namespace domsnap::plan
