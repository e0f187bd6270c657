#include "engine/redefine.h"

#include "base/error.h"
#include "base/text.h"
#include "engine/firmware.h"
#include "engine/runner.h"
#include "engine/world.h"
#include "model/first_name.h"
#include "os/file.h"
#include "plan/document.h"
#include "plan/names.h"
#include "plan/step.h"

#include <fmt/format.h>
#include <optional>
#include <set>

namespace domsnap::engine {

using model::Location;

namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
    throw Error(ErrorCode::invalid_request, message, hint);
}

bool exists(const Session& session, const std::string& name) {
    return session.folder().record(name).has_value();
}

/// Looks at the records above alone: a domain may have ten thousand. Records that form a cycle already end
/// it.
bool is_ancestor_or_self(const Session& session, const std::string& ancestor, std::string of) {
    std::set<std::string> seen;
    while (of != ancestor) {
        if (of.empty() || !seen.insert(of).second || !exists(session, of)) return false;
        of = session.snapshot(of).parent;
    }
    return true;
}

void check_parent(const Session& session, const model::Snapshot& snapshot) {
    if (snapshot.parent.empty()) return;
    if (snapshot.parent == snapshot.name)
        refuse(fmt::format("invalid argument: cannot set moment {} as its own parent", snapshot.name));
    if (!exists(session, snapshot.parent))
        refuse(fmt::format("invalid argument: parent {} for moment {} not found", snapshot.parent,
                           snapshot.name));
    if (exists(session, snapshot.name) && is_ancestor_or_self(session, snapshot.name, snapshot.parent))
        refuse(fmt::format("invalid argument: parent {} would create cycle to {}", snapshot.parent,
                           snapshot.name));
}

void check_domain(const Session& session, const model::Snapshot& snapshot) {
    if (snapshot.domain.empty())
        refuse("internal error: missing domain in snapshot",
               "a redefined snapshot needs the <domain> that it was taken of; snapshot-dumpxml writes it");
    const auto domain = model::domain_from(snapshot.domain.front());
    if (domain.uuid != session.definition().uuid)
        refuse(fmt::format("invalid argument: definition for snapshot {} must use uuid {}", snapshot.name,
                           session.definition().uuid));
}

/// Where a create of ours would have put internal memory that names no disk: the planner's choose_holder. It
/// is libvirt's place too, which has no other internal memory than with every disk internal.
std::optional<model::DiskPoint> memory_holder(const model::Snapshot& snapshot, const model::Domain& domain) {
    const auto tag = model::first_name(snapshot);
    for (const auto& disk : domain.disks) {
        const bool can = disk.format == "qcow2" && !disk.empty() && !disk.defaults_to_no();
        if (can && (snapshot.memory.disk.empty() || snapshot.memory.disk == disk.target))
            return model::DiskPoint{disk.source, disk.format, tag};
    }
    for (const auto& disk : domain.disks) {
        if (disk.empty() || disk.defaults_to_no() || !snapshot.memory.disk.empty()) continue;
        std::set<std::string> none;
        const auto file = plan::free_path(
            text::folder_of(disk.source),
            fmt::format("{}.{}.vmstate", plan::file_part(domain.name), plan::file_part(tag)), none);
        if (os::exists(file)) return model::DiskPoint{file, "qcow2", tag};
    }
    return std::nullopt;
}

void keep_points(model::Snapshot& snapshot, const model::Snapshot& old) {
    if (snapshot.memory.location == old.memory.location) snapshot.memory_point = old.memory_point;
    for (auto& disk : snapshot.disks)
        if (const auto* was = old.find_disk(disk.name); was && was->location == disk.location)
            disk.point = was->point;
    snapshot.nvram = old.nvram;
    snapshot.tpm = old.tpm;
    model::set_first_name(snapshot, model::first_name(old));
}

/// A record that was forgotten (snapshot-delete --metadata) left its copies, whose names tell whose they are.
void find_copies(const Session& session, model::Snapshot& snapshot) {
    const auto find = [&](std::optional<model::KeptState>& kept, const char* role) {
        const auto file =
            firmware_folder(session) + "/" + plan::kept_name(model::first_name(snapshot), snapshot.creation_time, role);
        if (!kept && os::exists(file)) kept = model::KeptState{file};
    };
    find(snapshot.nvram, "nvram");
    find(snapshot.tpm, "tpm");
}

std::string old_text(const Session& session, const std::string& name) {
    return session.folder().record(name).value_or("");
}

void run(Session& session, std::vector<plan::Action> steps, const std::string& snapshot) {
    plan::Plan plan;
    plan.operation = "snapshot-create --redefine";
    plan.domain = session.name();
    plan.snapshot = snapshot;
    plan.clean_up = static_cast<uint32_t>(steps.size());
    plan.steps = std::move(steps);
    const auto world = real_world(session);
    run_plan(*world, plan, session.folder().journal(), session.control());
}

} // namespace

void derive_points(model::Snapshot& snapshot) {
    const auto domain = model::domain_from(snapshot.domain.front());
    const auto tag = model::first_name(snapshot);
    if (snapshot.memory.location == Location::internal && !snapshot.memory_point)
        snapshot.memory_point = memory_holder(snapshot, domain);
    for (auto& disk : snapshot.disks) {
        const auto* was = domain.find_disk(disk.name);
        if (disk.point || !was || was->empty()) continue;
        if (disk.location == Location::external) disk.point = model::DiskPoint{was->source, was->format, {}};
        if (disk.location == Location::internal)
            disk.point = model::DiskPoint{was->source, was->format, tag};
    }
}

std::string redefine(Session& session, model::Snapshot snapshot, bool current) {
    if (snapshot.name.empty()) refuse("XML error: a redefined snapshot must have a name");
    model::check_new_snapshot_name(snapshot.name);
    check_parent(session, snapshot);
    check_domain(session, snapshot);
    if (exists(session, snapshot.name)) keep_points(snapshot, session.snapshot(snapshot.name));
    derive_points(snapshot);
    find_copies(session, snapshot);
    std::vector<plan::Action> steps{
        plan::PutRecord{snapshot.name, plan::record_text(snapshot), old_text(session, snapshot.name)}};
    if (current) steps.push_back(plan::SetCurrent{snapshot.name, session.folder().current()});
    run(session, std::move(steps), snapshot.name);
    return snapshot.name;
}

std::string edit(Session& session, const model::Snapshot& old, model::Snapshot edited, bool rename,
                 bool clone) {
    const bool same_name = edited.name == old.name;
    if (!same_name && !rename && !clone)
        refuse(fmt::format("Must use --rename or --clone to change {} to {}", old.name, edited.name));
    model::check_new_snapshot_name(edited.name);
    if (!same_name && exists(session, edited.name))
        throw Error(ErrorCode::conflict,
                    fmt::format("operation failed: domain moment {} already exists", edited.name));
    check_parent(session, edited);
    // Its children will follow it to the new name.
    if (rename && !same_name && is_ancestor_or_self(session, old.name, edited.parent))
        refuse(fmt::format("invalid argument: parent {} would create cycle to {}", edited.parent, old.name));
    check_domain(session, edited);
    keep_points(edited, old);
    derive_points(edited);
    std::vector<plan::Action> steps{
        plan::PutRecord{edited.name, plan::record_text(edited), old_text(session, edited.name)}};
    if (!same_name && rename) {
        const auto tree = session.snapshot_heads();
        for (const auto* child : tree.children(old.name)) {
            model::Snapshot moved = session.snapshot(child->name);
            const auto as_it_is = plan::record_text(moved);
            moved.parent = edited.name;
            steps.push_back(plan::PutRecord{moved.name, plan::record_text(moved), as_it_is});
        }
        if (tree.current() == old.name) steps.push_back(plan::SetCurrent{edited.name, old.name});
        steps.push_back(plan::RemoveRecord{old.name, plan::record_text(old)});
    }
    run(session, std::move(steps), edited.name);
    return edited.name;
}

} // namespace domsnap::engine
