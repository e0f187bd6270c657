// A revert in place: the overlays are opened in the running QEMU while its guest runs; then, in one stop, the
// drives change, RAM and devices become the snapshot's, and the guest runs on.
#include "model/firmware.h"
#include "plan/document.h"
#include "plan/firmware.h"
#include "plan/in_place.h"
#include "plan/points.h"
#include "plan/revert_draft.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;

static constexpr const char* state_prefix = "state-"; // of the device state's node and file

namespace {

bool is_overlaid(const model::SnapshotDisk& disk) { return disk.point && disk.point->tag.empty(); }

const DiskFacts* disk_facts(const Facts& facts, const std::string& target) {
    for (const auto& disk : facts.disks)
        if (disk.target == target) return &disk;
    return nullptr;
}

/// QEMU loads both with the device state, and writes them into its files itself; a flash that is no raw file
/// is left to the image, which may hold what the guest wrote after the stop.
std::string firmware_problem(const RevertDraft& draft) {
    const auto nvram = model::nvram_of(draft.live);
    const auto is_kept = [](const auto& kept) { return kept && !kept->file.empty(); };
    if (nvram && (nvram->format != "raw" || !is_kept(draft.snapshot.nvram)))
        return "its UEFI's variables are not kept with the snapshot as a raw file";
    if (model::has_tpm(draft.live) && !is_kept(draft.snapshot.tpm))
        return "its TPM's state is not kept with the snapshot";
    return {};
}

std::string guest_problem(const RevertDraft& draft) {
    const auto& facts = draft.facts;
    if (!facts.has_process) return "the domain is off";
    if (draft.options.new_process) return "--new-process was asked for";
    if (draft.options.eager) return "--eager was asked for";
    if (draft.options.mapped) return "--mapped was asked for";
    if (draft.snapshot.memory.location != Location::external)
        return "its memory is not in an image of its own";
    if (auto problem = firmware_problem(draft); !problem.empty()) return problem;
    if (!facts.why_not_in_place.empty()) return facts.why_not_in_place;
    return facts.in_place ? "" : "QEMU was not asked";
}

std::string disk_problem(const RevertDraft& draft, const model::SnapshotDisk& disk) {
    if (!disk.point) return {};
    if (!disk.point->tag.empty())
        return fmt::format("disk '{}' goes back to an internal snapshot", disk.name);
    if (!draft.facts.in_place->drives.contains(disk.name))
        return fmt::format("disk '{}' is on a device whose medium cannot be changed", disk.name);
    const auto* now = draft.facts.live.find_disk(disk.name);
    if (now && now->empty()) // QEMU 7.2 and 10.0 end with a segmentation fault when its drive is set
        return fmt::format("disk '{}' has no medium now", disk.name);
    if (now && now->source == disk.point->file)
        return fmt::format("disk '{}' is in use as {} itself", disk.name, disk.point->file);
    return {};
}

/// The document without what may differ: the run's number, and the files of the disks that go over to new
/// ones or keep what they have.
model::Element comparable(const RevertDraft& draft, model::Domain domain) {
    domain.document.remove_attribute("id");
    model::set_name(domain, draft.facts.definition.name);
    for (const auto& disk : draft.snapshot.disks) {
        const auto* now = draft.facts.live.find_disk(disk.name);
        if (domain.find_disk(disk.name) && (is_overlaid(disk) || (now && !now->empty())))
            model::set_disk_source(domain, disk.name, "file", "/", "qcow2");
    }
    return std::move(domain.document);
}

std::vector<std::string> chain_of(const RevertDraft& draft, const model::SnapshotDisk& disk) {
    return chain_from(draft.facts.files, disk.point->file);
}

std::string new_node(RevertDraft& draft, const std::string& target) {
    const auto* disk = disk_facts(draft.facts, target);
    const auto [next, first] = draft.nodes.try_emplace(target, disk ? disk->next_node : 0);
    return fmt::format("{}-{}", target, next->second++);
}

/// The node of what the snapshot froze: what of its chain is not open yet is opened, the lowest first.
std::string open_chain(RevertDraft& draft, const model::SnapshotDisk& disk, OpenImages& step) {
    const auto chain = chain_of(draft, disk);
    std::string below;
    for (auto path = chain.rbegin(); path != chain.rend(); ++path) {
        const auto open = draft.facts.open_nodes.find(*path);
        const auto opened = std::find_if(step.images.begin(), step.images.end(),
                                         [&](const OpenedImage& image) { return image.path == *path; });
        if (open != draft.facts.open_nodes.end()) {
            below = open->second;
        } else if (opened != step.images.end()) {
            below = opened->node;
        } else {
            const auto node = new_node(draft, disk.name);
            step.images.push_back({disk.name, node, *path, draft.facts.files.at(*path).format, below, true});
            below = node;
        }
    }
    return below;
}

} // namespace

const WarmPoint* ready_for(const RevertDraft& draft) {
    const auto& warm = draft.facts.warm;
    if (!warm || warm->snapshot != draft.snapshot.name) return nullptr;
    for (const auto& disk : draft.snapshot.disks)
        if (is_overlaid(disk) && !warm->overlays.contains(disk.name)) return nullptr;
    return &*warm;
}

std::string in_place_problem(const RevertDraft& draft) {
    if (auto problem = guest_problem(draft); !problem.empty()) return problem;
    for (const auto& disk : draft.snapshot.disks)
        if (auto problem = disk_problem(draft, disk); !problem.empty()) return problem;
    if (std::none_of(draft.snapshot.disks.begin(), draft.snapshot.disks.end(), is_overlaid))
        return "none of its disks was frozen";
    if (!model::same_content(comparable(draft, draft.live), comparable(draft, draft.facts.live)))
        return "the machine that runs is not the snapshot's: their documents differ";
    return {};
}

bool is_node_of_ours(const Facts& facts, const std::string& node) {
    return node.starts_with(state_prefix) ||
           std::any_of(facts.disks.begin(), facts.disks.end(),
                       [&](const DiskFacts& disk) { return node.starts_with(disk.target + "-"); });
}

void plan_opening(RevertDraft& draft) {
    OpenImages open;
    for (const auto& disk : draft.snapshot.disks) {
        if (!is_overlaid(disk)) continue;
        const auto below = open_chain(draft, disk, open);
        const auto& path = draft.live.find_disk(disk.name)->source;
        open.images.push_back({disk.name, new_node(draft, disk.name), path, "qcow2", below, false});
        draft.overlays[disk.name] = open.images.back();
    }
    draft.plan.steps.push_back(open);
    const auto& image = draft.snapshot.memory.file;
    const auto& hash = draft.facts.images.at(image).hash;
    draft.state = {image, fmt::format("{}/{}{}.qcow2", draft.facts.in_place->folder, state_prefix, hash),
                   state_prefix + hash, model::nvram_of(draft.live) ? draft.snapshot.nvram->file : ""};
    draft.plan.steps.push_back(draft.state);
}

namespace {

void use_what_is_ready(RevertDraft& draft, const WarmPoint& ready) {
    draft.overlays = ready.overlays;
    draft.state = {draft.snapshot.memory.file, ready.state_path, ready.state_node, {}};
    draft.plan.steps.push_back(PutWarm{"", ready.text});
}

RewindGuest rewind_step(RevertDraft& draft) {
    RewindGuest rewind{draft.snapshot.memory.file,
                       draft.state.node,
                       {},
                       draft.facts.state == model::SnapshotState::running,
                       start_step(draft),
                       put_backs(draft.snapshot, draft.live, draft.options, draft.facts)};
    for (const auto& disk : draft.snapshot.disks) {
        if (!is_overlaid(disk)) continue;
        const auto& overlay = draft.overlays.at(disk.name);
        const auto& base = draft.facts.files.at(disk.point->file);
        rewind.drives.push_back({disk.name, disk_facts(draft.facts, disk.name)->device,
                                 draft.facts.in_place->drives.at(disk.name), overlay.node, overlay.path,
                                 disk.point->file, disk.point->format, base.virtual_size});
    }
    return rewind;
}

/// What the present chains do not share with those to come.
CloseNodes old_nodes(const RevertDraft& draft) {
    CloseNodes close;
    for (const auto& disk : draft.snapshot.disks) {
        const auto* now = disk_facts(draft.facts, disk.name);
        if (!is_overlaid(disk) || !now) continue;
        const auto kept = chain_of(draft, disk);
        for (size_t i = 0; i < now->nodes.size() && i < now->files.size(); ++i) {
            if (std::find(kept.begin(), kept.end(), now->files[i]) != kept.end()) break;
            close.nodes.push_back({now->nodes[i], now->files[i]});
        }
    }
    return close;
}

} // namespace

void plan_in_place(RevertDraft& draft) {
    auto& steps = draft.plan.steps;
    const auto* ready = ready_for(draft);
    if (ready)
        use_what_is_ready(draft, *ready);
    else
        plan_opening(draft);
    steps.push_back(PutDefinition{document_text(draft.definition), document_text(draft.facts.definition)});
    if (draft.tree.current() != draft.snapshot.name)
        steps.push_back(SetCurrent{draft.snapshot.name, draft.tree.current()});
    draft.plan.point_of_no_return = static_cast<uint32_t>(steps.size());
    steps.push_back(rewind_step(draft));
    if (draft.snapshot.quiesced) steps.push_back(ThawGuest{});
    auto close = old_nodes(draft);
    if (!ready) close.nodes.push_back({draft.state.node, draft.state.path});
    steps.push_back(close);
    draft.plan.clean_up = static_cast<uint32_t>(steps.size());
    if (!ready) steps.push_back(RemoveFile{draft.state.path, "device state, loaded"});
}

} // namespace domsnap::plan
