// A snapshot's disks laid over those of its domain.
#include "xml/snapshot.h"

#include "base/error.h"
#include "base/text.h"

#include <fmt/format.h>
#include <map>

namespace domsnap::xml {

using model::Disk;
using model::Domain;
using model::Location;
using model::Snapshot;
using model::SnapshotDisk;
using model::SnapshotState;

namespace {

[[noreturn]] void refuse(const std::string& words, std::string hint = {}) {
    throw Error(ErrorCode::invalid_request, "unsupported configuration: " + text::printable(words),
                std::move(hint));
}

std::string targets_of(const Domain& domain) {
    std::vector<std::string> targets;
    for (const auto& disk : domain.disks)
        targets.push_back(disk.target);
    return targets.empty() ? "the domain has no disks"
                           : "the domain's disks are " + text::join(targets, ", ");
}

const Disk& resolve(const Domain& domain, const std::string& name) {
    const auto* disk = domain.find_disk(name);
    if (!disk) refuse(fmt::format("no disk named '{}'", name), targets_of(domain));
    return *disk;
}

std::map<std::string, SnapshotDisk> by_target(const Snapshot& snapshot, const Domain& domain) {
    std::map<std::string, SnapshotDisk> requested;
    for (const auto& wanted : snapshot.disks) {
        const auto& target = resolve(domain, wanted.name).target;
        const auto [at, inserted] = requested.emplace(target, wanted);
        if (!inserted) refuse(fmt::format("disk '{}' specified twice", wanted.name));
        at->second.name = target;
    }
    return requested;
}

Location unsaid(const Disk& disk, Location default_location) {
    if (disk.snapshot) return *disk.snapshot;
    return disk.defaults_to_no() ? Location::no : default_location;
}

/// A redefined snapshot has a state and says what there is; a request's overlay must be of a format that can
/// be one.
void check(const SnapshotDisk& disk, bool request) {
    if (disk.location != Location::external) {
        if (!disk.source.empty())
            refuse(fmt::format("file '{}' for disk '{}' requires use of external snapshot mode", disk.source,
                               disk.name));
        return;
    }
    if (request && !disk.driver.empty() && disk.driver != "qcow2" && disk.driver != "qed")
        refuse(fmt::format("external snapshot format for disk {} is unsupported: {}", disk.name, disk.driver),
               "an overlay must be able to have a backing file: use qcow2");
}

void generate_overlay(const Snapshot& snapshot, SnapshotDisk& disk, const Disk& of) {
    const auto cannot = fmt::format("cannot generate external snapshot name for disk '{}' ", disk.name);
    if (disk.type != "file") refuse(fmt::format("{}on a '{}' device", cannot, disk.type));
    if (of.empty()) refuse(cannot + "without source");
    if (of.type != "file") refuse(fmt::format("{}on a '{}' device", cannot, of.type));
    disk.source = generated_overlay(of.source, snapshot.name);
    for (const auto& other : snapshot.disks)
        if (&other != &disk && other.source == disk.source)
            refuse(
                fmt::format("{}: collision with disk '{}'", cannot.substr(0, cannot.size() - 1), other.name));
}

} // namespace

void align_disks(Snapshot& snapshot, const Domain& domain, Location default_location) {
    auto requested = by_target(snapshot, domain);
    std::vector<SnapshotDisk> aligned;
    for (const auto& disk : domain.disks) {
        const auto found = requested.find(disk.target);
        auto& out =
            aligned.emplace_back(found == requested.end() ? SnapshotDisk{} : std::move(found->second));
        out.name = disk.target;
        if (out.location == Location::omitted) out.location = unsaid(disk, default_location);
        check(out, snapshot.state == SnapshotState::no_state);
    }
    if (!snapshot.memory.disk.empty()) snapshot.memory.disk = resolve(domain, snapshot.memory.disk).target;
    snapshot.disks = std::move(aligned);
}

Location default_disk_location(const Snapshot& snapshot, bool disk_only) {
    const bool redefined = snapshot.state != SnapshotState::no_state;
    const bool external = disk_only || snapshot.memory.location == Location::external ||
                          snapshot.state == SnapshotState::disk_snapshot ||
                          (redefined && snapshot.external());
    return external ? Location::external : Location::internal;
}

void generate_overlays(Snapshot& snapshot, const Domain& domain) {
    for (auto& disk : snapshot.disks) {
        const bool named = !disk.source.empty() || disk.type == "network";
        if (disk.location == Location::external && !named)
            generate_overlay(snapshot, disk, resolve(domain, disk.name));
    }
}

std::string generated_overlay(const std::string& source, const std::string& snapshot_name) {
    const auto slash = source.rfind('/'), dot = source.rfind('.');
    const bool suffixed = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    return (suffixed ? source.substr(0, dot) : source) + "." + snapshot_name;
}

} // namespace domsnap::xml
