#include "plan/fork.h"

#include "base/error.h"
#include "model/firmware.h"
#include "plan/document.h"
#include "plan/names.h"
#include "plan/record_content.h"
#include "plan/start.h"

#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;

namespace {

struct Draft {
    const Snapshot& snapshot;
    const ForkOptions& options;
    const ForkIdentity& identity;
    const Facts& facts;
    std::set<std::string>& taken;
    model::Domain definition, live; ///< as they will be
    model::Fork note;
    Plan plan;

    bool with_memory() const { return snapshot.memory.location == Location::external; }
};

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
    throw Error(ErrorCode::unsupported, message, hint);
}

std::string note_text(const model::Fork& fork) { return model::to_text(model::to_element(fork)) + "\n"; }

void check_memory(const Draft& draft) {
    if (draft.with_memory()) return check_image(draft.facts, draft.snapshot);
    if (draft.snapshot.memory.location == Location::internal)
        refuse(
            fmt::format("the memory of snapshot '{}' is inside a disk image: a fork maps its memory from a "
                        "file of its own",
                        draft.snapshot.name),
            "revert to it, and take a snapshot with --memspec file=PATH and external disks");
}

void set_source(Draft& draft, const std::string& target, const std::string& overlay) {
    for (auto* domain : {&draft.definition, &draft.live})
        if (domain->find_disk(target)) model::set_disk_source(*domain, target, "file", overlay, "qcow2");
}

void plan_overlay(Draft& draft, const model::SnapshotDisk& disk) {
    const auto& point = *disk.point;
    const auto& file = usable_file(draft.facts, draft.snapshot, disk.name, point);
    if (!point.tag.empty())
        refuse(
            fmt::format("disk '{}' of snapshot '{}' is an internal snapshot in {}: a fork rests on files "
                        "that nobody writes to",
                        disk.name, draft.snapshot.name, point.file),
            fmt::format("revert to it, and take a snapshot with --diskspec {},snapshot=external", disk.name));
    const auto overlay = free_overlay(point.file, draft.identity.name, draft.taken);
    draft.plan.steps.push_back(MakeOverlay{overlay, point.file, point.format, file.virtual_size});
    draft.plan.space += file.virtual_size;
    draft.note.disks.push_back({disk.name, overlay, point.file, 0});
    set_source(draft, disk.name, overlay);
}

/// What the snapshot left out has no content of that time, and the origin writes to it.
void check_left_out(const Draft& draft, const model::Domain& domain) {
    for (const auto& disk : domain.disks) {
        const auto* saved = draft.snapshot.find_disk(disk.target);
        if ((saved && saved->point) || disk.empty() || disk.readonly) continue;
        refuse(fmt::format(
                   "disk '{}' is no part of snapshot '{}': a fork would write to the origin's own file {}",
                   disk.target, draft.snapshot.name, disk.source),
               "fork a snapshot that has all disks");
    }
}

void plan_disks(Draft& draft) {
    for (const auto* domain : {&draft.definition, &draft.live})
        check_left_out(draft, *domain);
    for (const auto& disk : draft.snapshot.disks)
        if (disk.point) plan_overlay(draft, disk);
}

void plan_copy(Draft& draft, const std::optional<model::KeptState>& kept, const std::string& to,
               const char* role) {
    if (to.empty()) return;
    if (!kept)
        refuse(fmt::format("snapshot '{}' does not hold the {}, and a fork cannot share the origin's",
                           draft.snapshot.name, kept_words(role)),
               "fork a snapshot that was taken by domsnap");
    if (kept->file.empty()) return; // there was none yet: the first start makes one
    if (!draft.facts.taken.contains(kept->file))
        throw Error(ErrorCode::conflict,
                    fmt::format("the {} of the snapshot is missing: {}", kept_words(role), kept->file),
                    "put the file back; nothing was changed");
    draft.plan.steps.push_back(CopyState{kept->file, to, role});
}

void plan_firmware(Draft& draft) {
    const auto& folder = draft.identity.firmware_folder;
    plan_copy(draft, draft.snapshot.nvram, model::nvram_file(draft.live, folder), "nvram");
    plan_copy(draft, draft.snapshot.tpm, model::has_tpm(draft.live) ? model::tpm_file(folder) : "", "tpm");
}

/// On QEMU's own network nobody else is there; on a bridge both guests would be heard under one address.
void warn_of_address(Draft& draft) {
    const auto* devices = draft.live.document.child("devices");
    if (!draft.with_memory() || !devices) return;
    for (const auto* interface : devices->elements("interface"))
        if (const auto* source = interface->child("source"); source && source->find_attribute("bridge"))
            draft.plan.warnings.push_back(fmt::format(
                "on the bridge '{}' the fork's network card has the origin's MAC address until the "
                "guest resets it: take one of the two off the bridge, or reset the fork",
                source->attribute("bridge")));
}

void plan_note(Draft& draft) {
    auto& note = draft.note;
    note.origin = draft.facts.definition.name;
    note.origin_uuid = draft.facts.definition.uuid;
    note.snapshot = draft.snapshot.name;
    note.created = draft.facts.now;
    if (draft.with_memory()) {
        note.image = draft.snapshot.memory.file;
        note.hash = draft.facts.images.at(note.image).hash;
        const bool paused = draft.snapshot.state == model::SnapshotState::paused;
        note.memory = model::WaitingMemory{paused, draft.snapshot.quiesced, draft.live.document};
    }
    draft.plan.steps.push_back(PutFork{note_text(note), {}});
}

void plan_start(Draft& draft) {
    auto& plan = draft.plan;
    plan.point_of_no_return = static_cast<uint32_t>(plan.steps.size());
    if (!draft.options.start) return;
    if (draft.note.memory) {
        const auto start = plan_first_start(draft.note, draft.definition, draft.options.paused);
        plan.point_of_no_return = static_cast<uint32_t>(plan.steps.size()) + start.point_of_no_return;
        plan.steps.insert(plan.steps.end(), start.steps.begin(), start.steps.end());
        plan.guest = "The fork goes on from the snapshot's instant.";
        return;
    }
    StartGuest boot;
    boot.text = document_text(draft.live);
    boot.paused = draft.options.paused;
    boot.reason = boot.paused ? "user" : "booted";
    plan.steps.push_back(boot);
    plan_resume(plan, boot);
    plan.guest = "The fork boots from the snapshot's disks.";
}

} // namespace

std::string started_text(model::Fork fork) {
    if (fork.adopted()) return {}; // it rests on nobody's files
    fork.memory.reset();
    return note_text(fork);
}

Plan plan_fork(const std::string& name, const ForkOptions& options, const ForkIdentity& identity,
               const Facts& facts, const model::SnapshotTree& tree, std::set<std::string>& taken) {
    const Snapshot& snapshot = tree.get(name);
    Draft draft{snapshot, options, identity, facts, taken, {}, {}, {}, {}};
    const auto& inactive = snapshot.inactive_domain.empty() ? snapshot.domain : snapshot.inactive_domain;
    draft.live = machine_of(snapshot, snapshot.domain, identity.name);
    draft.definition = machine_of(snapshot, inactive, identity.name);
    ForkDocument document(identity);
    document.rewrite(draft.live);
    document.rewrite(draft.definition);
    draft.plan.operation = "snapshot-fork";
    draft.plan.domain = identity.name;
    draft.plan.uuid = identity.uuid;
    draft.plan.snapshot = name;
    draft.plan.warnings = document.remarks();
    draft.plan.guest = "The origin is not touched.";
    warn_of_address(draft);
    check_memory(draft);
    draft.plan.steps.push_back(PutDefinition{}); // its text is known when the disks are
    plan_disks(draft);
    std::get<PutDefinition>(draft.plan.steps.front()).text = document_text(draft.definition);
    plan_firmware(draft);
    plan_note(draft);
    plan_start(draft);
    draft.plan.clean_up = static_cast<uint32_t>(draft.plan.steps.size());
    return std::move(draft.plan);
}

static void check_disks(const model::Fork& fork, const model::Domain& definition) {
    for (const auto& disk : fork.disks) {
        const auto* now = definition.find_disk(disk.target);
        if (now && now->source == disk.overlay) continue;
        throw Error(
            ErrorCode::conflict,
            fmt::format("the memory that waits for the first start of '{}' belongs to {} as disk '{}', "
                        "and its definition has {}",
                        definition.name, disk.overlay, disk.target,
                        now && !now->empty() ? now->source : "none"),
            "put the definition back, or boot it without that memory: start --force-boot");
    }
}

Plan plan_first_start(const model::Fork& fork, const model::Domain& definition, bool paused) {
    check_disks(fork, definition);
    auto document = fork.memory->domain;
    model::set_indentation(document, 0);
    model::Domain domain = model::domain_from(std::move(document));
    model::set_name(domain, definition.name); // it may have been renamed
    StartGuest start;
    start.from = StartGuest::From::memory;
    start.text = document_text(domain);
    start.image = fork.image;
    start.mapped = !fork.adopted(); // libvirt's is a stream
    start.paused = paused || fork.memory->paused;
    start.reason = "from snapshot";
    Plan plan;
    plan.operation = "start";
    plan.domain = plan.snapshot = definition.name;
    plan.uuid = definition.uuid;
    // Its memory is used up before it runs: what it writes then is not of that memory's time any more.
    plan.steps = {start, PutFork{started_text(fork), note_text(fork)}};
    plan_resume(plan, start);
    if (fork.memory->quiesced) plan.steps.push_back(ThawGuest{});
    plan.clean_up = static_cast<uint32_t>(plan.steps.size());
    remove_used_memory(plan, fork);
    return plan;
}

void remove_used_memory(Plan& plan, const model::Fork& fork) {
    if (fork.adopted()) plan.steps.push_back(RemoveFile{fork.image, "memory that libvirt saved"});
}

} // namespace domsnap::plan
