// snapshot-create, its memory: in a file of its own, or in an internal snapshot of some image.
#include "base/text.h"
#include "plan/create_draft.h"
#include "plan/firmware.h"
#include "plan/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;

namespace {

/// The node of a file that only holds memory.
constexpr const char* holder_node = "domsnap-vmstate";

/// Beside the first disk that is saved; where nothing can be written there, the domain's own folder.
std::string saved_folder(const CreateDraft& draft) {
    for (const auto& known : draft.facts.disks) {
        const auto* disk = draft.facts.live.find_disk(known.target);
        if (!disk || disk->defaults_to_no()) continue;
        if (known.folder_writable && disk->type == "file") return text::folder_of(disk->source);
        break;
    }
    return draft.facts.memory_folder;
}

/// The image that will hold internal memory: the disk that the request names, or the first that can, or a
/// file of ours.
InternalPoint choose_holder(CreateDraft& draft) {
    const auto& named = draft.record.memory.disk;
    for (const auto& known : draft.facts.disks) {
        const auto* disk = draft.facts.live.find_disk(known.target);
        const auto* wanted = draft.record.find_disk(known.target);
        // The user's copy must hold nothing that is ours to delete.
        const bool is_ours = !wanted || wanted->location != Location::manual;
        const bool can = disk && disk->format == "qcow2" && !disk->defaults_to_no() && !known.nodes.empty();
        if (!named.empty() && known.target != named) continue;
        if (can && !is_ours && !named.empty())
            refuse(
                fmt::format("disk '{}' cannot hold the memory: its copy is yours (snapshot='manual')", named),
                "name another disk, or none");
        if (can && is_ours) return {known.target, known.nodes.front(), disk->source, draft.record.name};
        if (!named.empty())
            refuse(fmt::format("disk '{}' cannot hold the memory: it is not a writable qcow2 image", named),
                   "name another disk, or none");
    }
    if (!named.empty())
        refuse(fmt::format("no disk named '{}'", named),
               "<memory snapshot='internal' disk='…'/> names a disk of the domain");
    const auto path = free_path(
        saved_folder(draft),
        fmt::format("{}.{}.vmstate", file_part(draft.facts.live.name), file_part(draft.record.name)),
        draft.taken);
    draft.plan.steps.push_back(MakeHolder{path});
    draft.plan.steps.push_back(AddNode{holder_node, path, "qcow2"});
    return {{}, holder_node, path, draft.record.name};
}

} // namespace

std::string parent_image(const CreateDraft& draft) {
    // Of an image that no record names nobody would know that it needs another.
    return draft.options.full || draft.options.no_metadata ? "" : draft.facts.parent_image;
}

void plan_memory_file(CreateDraft& draft) {
    auto& file = draft.record.memory.file;
    if (file.empty()) {
        file = free_path(
            saved_folder(draft),
            fmt::format("{}.{}.mem", file_part(draft.facts.live.name), file_part(draft.record.name)),
            draft.taken);
    } else {
        check_new_file(draft, file, "memory image");
        // libvirt overwrites an existing one in silence: somebody's memory is lost that way.
        if (!draft.taken.insert(file).second)
            throw Error(ErrorCode::conflict, fmt::format("memory image {} already exists", file),
                        "choose another file, or remove that one if nothing needs it");
    }
    const auto space = draft.facts.free_space.find(text::folder_of(file));
    // What differs from the parent is not known before; a disk that fills up meanwhile costs only the
    // snapshot.
    const bool is_whole = parent_image(draft).empty();
    if (is_whole && space != draft.facts.free_space.end() && draft.facts.memory_in_use > space->second)
        throw Error(ErrorCode::io,
                    fmt::format("no space for memory image {}: up to {} are needed, {} are free", file,
                                text::human_size(draft.facts.memory_in_use), text::human_size(space->second)),
                    "free some space, or name another place with --memspec");
    draft.plan.space += draft.facts.memory_in_use;
}

void plan_internal_memory(CreateDraft& draft) {
    const auto holder = choose_holder(draft);
    if (draft.record.name.size() > 255)
        refuse("an internal snapshot's name may have 255 bytes at most",
               "choose a shorter name, or external memory");
    if (const auto* file = draft.facts.file(holder.path); file && file->tags.contains(holder.tag))
        throw Error(ErrorCode::conflict,
                    fmt::format("image {} already holds an internal snapshot '{}'", holder.path, holder.tag),
                    "choose another name");
    auto points = internal_points(draft);
    const bool is_disk =
        std::any_of(points.begin(), points.end(), [&](const auto& p) { return p.node == holder.node; });
    if (!is_disk) points.push_back(holder);
    draft.record.memory_point = model::DiskPoint{holder.path, "qcow2", holder.tag};
    const auto overlays = overlay_switches(draft);
    for (const auto& one : overlays)
        draft.plan.steps.push_back(AddNode{one.overlay_node, one.overlay_path, "qcow2"});
    plan_freeze(draft);
    plan_hold(draft);
    draft.plan.steps.push_back(SaveInternal{"domsnap-save-" + draft.facts.unique, draft.record.name,
                                            holder.node, points, overlays, draft.runs_on(),
                                            read_in_stop(draft)});
    plan_thaw(draft);
    draft.plan.steps.insert(draft.plan.steps.end(), draft.keeping.begin(), draft.keeping.end());
    if (holder.target.empty()) draft.plan.steps.push_back(DropNode{holder.node});
    draft.plan.space += draft.facts.memory_in_use;
    draft.plan.guest = has_manual(draft.record)
                           ? "The guest stands still from the saving of its memory until you resume it."
                           : "The guest stands still while its memory is written into an image.";
}

} // namespace domsnap::plan
