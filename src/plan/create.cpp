// snapshot-create: which files are made, where the guest is stopped (once), and what is written down last.
#include "base/error.h"
#include "base/text.h"
#include "plan/document.h"
#include "plan/names.h"
#include "plan/planner.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

using model::Location;
using model::Snapshot;
using model::SnapshotDisk;

namespace {

/// One create on its way: the request as it becomes the record, and the steps as they are found.
struct Draft {
    Snapshot record;
    const CreateOptions& options;
    const Facts& facts;
    std::set<std::string> taken;
    Plan plan;

    const model::Disk& disk(const SnapshotDisk& wanted) const { return *facts.live.find_disk(wanted.name); }
    const DiskFacts& disk_facts(const SnapshotDisk& wanted) const {
        return *std::find_if(facts.disks.begin(), facts.disks.end(), [&](const auto& d) { return d.target == wanted.name; });
    }
    bool has_memory(Location where) const { return record.memory.location == where; }
};

/// The node of a file that only holds memory.
constexpr const char* holder_node = "domsnap-vmstate";

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
    throw Error(ErrorCode::invalid_request, message, hint);
}

void choose_name(Draft& draft, const model::SnapshotTree& tree) {
    auto& name = draft.record.name;
    if (name.empty()) {
        // Two a second must not collide; libvirt's are the bare epoch seconds, so the first is that.
        name = std::to_string(draft.facts.now);
        for (unsigned n = 1; tree.find(name); ++n) name = fmt::format("{}-{}", draft.facts.now, n);
    }
    model::check_new_snapshot_name(name);
    if (tree.find(name))
        throw Error(ErrorCode::conflict, fmt::format("operation failed: domain moment {} already exists", text::printable(name)),
                    "choose another name, or delete that snapshot first");
}

/// A file that the request names itself.
void check_new_file(Draft& draft, const std::string& path, const std::string& what) {
    if (!text::starts_with_slash(path)) refuse(fmt::format("{} {} must be an absolute path", what, text::printable(path)));
    if (!draft.facts.folders.contains(text::folder_of(path)))
        refuse(fmt::format("{} {}: there is no folder {}", what, path, text::folder_of(path)), "make the folder first, or choose another place");
    const auto name = text::base_name(path);
    if (name.empty() || name == "." || name == ".." || name.size() > 255)
        refuse(fmt::format("{} {} cannot be the name of a file", what, text::printable(path)));
}

void check_usable(const Draft& draft, const SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    const auto* file = draft.facts.file(disk.source);
    if (!file || !file->problem.empty())
        throw Error(ErrorCode::conflict, fmt::format("disk '{}' cannot be saved: {}", wanted.name, file ? file->problem : "its image was not found"));
}

/// The overlay's path: as the request says, or made from the disk's own.
std::string overlay_path(Draft& draft, const SnapshotDisk& wanted, const model::Disk& disk) {
    if (wanted.source.empty()) {
        if (disk.type == "file") return free_overlay(disk.source, draft.record.name, draft.taken);
        refuse(fmt::format("cannot generate external snapshot name for disk '{}' on a '{}' device", wanted.name, disk.type),
               fmt::format("name the overlay: --diskspec {},file=/path", wanted.name));
    }
    check_new_file(draft, wanted.source, fmt::format("overlay of disk '{}':", wanted.name));
    if (!draft.taken.insert(wanted.source).second)
        throw Error(ErrorCode::conflict,
                    fmt::format("external snapshot file for disk {} already exists and is not a block device: {}", wanted.name, wanted.source),
                    "choose another file, or remove that one if nothing needs it");
    return wanted.source;
}

/// --reuse-external: an overlay that the user made. It must show what the disk holds, or the guest would see another disk.
void check_reused(const SnapshotDisk& wanted, const model::Disk& disk, const Facts& facts) {
    if (wanted.source.empty()) refuse(fmt::format("--reuse-external needs the file of disk '{}'", wanted.name), fmt::format("--diskspec {},file=/path", wanted.name));
    const auto* file = facts.file(wanted.source);
    const auto wrong = [&](const std::string& why) {
        refuse(fmt::format("{} cannot be reused for disk '{}': {}", wanted.source, wanted.name, why),
               fmt::format("make it with qemu-img create -f qcow2 -F {} -b {} {}", disk.format, disk.source, wanted.source));
    };
    if (!facts.taken.contains(wanted.source) || !file)
        throw Error(ErrorCode::not_found, fmt::format("missing existing file for disk {}: {}: No such file or directory", wanted.name, wanted.source));
    if (!file->problem.empty()) wrong(file->problem);
    if (file->backing != disk.source) wrong(fmt::format("its backing file is {}, the disk is {}", file->backing.empty() ? "none" : file->backing, disk.source));
    if (file->backing_format != disk.format) wrong(fmt::format("it takes its backing file for {}, the disk is {}", file->backing_format, disk.format));
    const auto size = facts.file(disk.source)->virtual_size;
    if (file->virtual_size != size) wrong(fmt::format("it has {} bytes, the disk has {}", file->virtual_size, size));
}

void plan_external(Draft& draft, SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    if (disk.empty()) refuse(fmt::format("disk '{}' has no medium: there is nothing to save", wanted.name), "use snapshot='no' for it");
    if (wanted.type != "file")
        throw Error(ErrorCode::unsupported, fmt::format("overlays on block devices are not built yet (disk '{}')", wanted.name));
    check_usable(draft, wanted);
    if (wanted.driver.empty()) wanted.driver = "qcow2";
    if (wanted.driver != "qcow2")
        throw Error(ErrorCode::unsupported, fmt::format("external snapshot format for disk {} is unsupported: {}", wanted.name, wanted.driver), "overlays are qcow2");
    wanted.point = model::DiskPoint{disk.source, disk.format, {}};
    if (draft.options.reuse_external) return check_reused(wanted, disk, draft.facts);
    wanted.source = overlay_path(draft, wanted, disk);
    const auto* file = draft.facts.file(disk.source);
    draft.plan.steps.push_back(MakeOverlay{wanted.source, disk.source, disk.format, file->virtual_size});
    draft.plan.space += file->virtual_size; // an overlay may grow to that, in the guest's own time
}

void plan_internal(Draft& draft, SnapshotDisk& wanted) {
    const auto& disk = draft.disk(wanted);
    if (disk.format != "qcow2")
        refuse(fmt::format("internal snapshot for disk {} unsupported: its image {} is {}", wanted.name, disk.source, disk.format),
               "use external for this disk: internal snapshots need qcow2");
    if (disk.readonly || disk.empty())
        refuse(fmt::format("disk '{}' is read-only or empty: nothing can be saved in it", wanted.name), "use snapshot='no' for it");
    check_usable(draft, wanted);
    if (draft.facts.file(disk.source)->tags.contains(draft.record.name))
        throw Error(ErrorCode::conflict,
                    fmt::format("image {} of disk '{}' already holds an internal snapshot '{}'", disk.source, wanted.name, draft.record.name),
                    "choose another name, or delete it with qemu-img snapshot -d");
    // QEMU cuts longer ones without a word (qemu 7.2 and 10.0: char name[256]).
    if (draft.record.name.size() > 255)
        refuse("an internal snapshot's name may have 255 bytes at most", "choose a shorter name, or external snapshots");
    wanted.point = model::DiskPoint{disk.source, disk.format, draft.record.name};
}

void plan_disks(Draft& draft) {
    for (auto& wanted : draft.record.disks) {
        if (wanted.location == Location::external) plan_external(draft, wanted);
        else if (wanted.location == Location::internal) plan_internal(draft, wanted);
        else if (wanted.location == Location::manual)
            throw Error(ErrorCode::unsupported, fmt::format("snapshot='manual' is not built yet (disk '{}')", wanted.name));
    }
    const auto is_saved = [](const SnapshotDisk& d) { return d.location != Location::no; };
    if (draft.has_memory(Location::no) && std::none_of(draft.record.disks.begin(), draft.record.disks.end(), is_saved))
        refuse("nothing selected for snapshot", "select a disk (--diskspec DISK,snapshot=external), or memory");
}

std::vector<OverlaySwitch> overlay_switches(const Draft& draft) {
    std::vector<OverlaySwitch> switches;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::external) continue;
        const auto& known = draft.disk_facts(wanted);
        const auto& disk = draft.disk(wanted);
        switches.push_back({wanted.name, known.device, known.nodes.at(0), disk.source, disk.format,
                            fmt::format("{}-{}", wanted.name, known.next_node), wanted.source});
    }
    return switches;
}

std::vector<InternalPoint> internal_points(const Draft& draft) {
    std::vector<InternalPoint> points;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::internal) continue;
        const auto& known = draft.disk_facts(wanted);
        points.push_back({wanted.name, known.nodes.empty() ? "" : known.nodes[0], wanted.point->file, wanted.point->tag});
    }
    return points;
}

/// Beside the first disk that is saved; where nothing can be written there, the domain's own folder.
std::string saved_folder(const Draft& draft) {
    for (const auto& known : draft.facts.disks) {
        const auto* disk = draft.facts.live.find_disk(known.target);
        if (!disk || disk->defaults_to_no()) continue;
        if (known.folder_writable && disk->type == "file") return text::folder_of(disk->source);
        break;
    }
    return draft.facts.memory_folder;
}

void plan_memory_file(Draft& draft) {
    auto& file = draft.record.memory.file;
    if (file.empty()) {
        file = free_path(saved_folder(draft), fmt::format("{}.{}.mem", file_part(draft.facts.live.name), file_part(draft.record.name)), draft.taken);
    } else {
        check_new_file(draft, file, "memory image");
        // libvirt overwrites an existing one in silence: somebody's memory is lost that way.
        if (!draft.taken.insert(file).second)
            throw Error(ErrorCode::conflict, fmt::format("memory image {} already exists", file), "choose another file, or remove that one if nothing needs it");
    }
    const auto space = draft.facts.free_space.find(text::folder_of(file));
    if (space != draft.facts.free_space.end() && draft.facts.memory_in_use > space->second)
        throw Error(ErrorCode::io, fmt::format("no space for memory image {}: up to {} are needed, {} are free", file,
                                               text::human_size(draft.facts.memory_in_use), text::human_size(space->second)),
                    "free some space, or name another place with --memspec");
    draft.plan.space += draft.facts.memory_in_use;
}

/// The image that will hold internal memory: the disk that the request names, or the first that can, or a file of ours.
InternalPoint choose_holder(Draft& draft) {
    const auto& named = draft.record.memory.disk;
    for (const auto& known : draft.facts.disks) {
        const auto* disk = draft.facts.live.find_disk(known.target);
        const bool can = disk && disk->format == "qcow2" && !disk->defaults_to_no() && !known.nodes.empty();
        if (!named.empty() && known.target != named) continue;
        if (can) return {known.target, known.nodes.front(), disk->source, draft.record.name};
        if (!named.empty())
            refuse(fmt::format("disk '{}' cannot hold the memory: it is not a writable qcow2 image", named), "name another disk, or none");
    }
    if (!named.empty()) refuse(fmt::format("no disk named '{}'", named), "<memory snapshot='internal' disk='…'/> names a disk of the domain");
    const auto path = free_path(saved_folder(draft), fmt::format("{}.{}.vmstate", file_part(draft.facts.live.name), file_part(draft.record.name)), draft.taken);
    draft.plan.steps.push_back(MakeHolder{path});
    draft.plan.steps.push_back(AddNode{holder_node, path, "qcow2"});
    return {{}, holder_node, path, draft.record.name};
}

void plan_internal_memory(Draft& draft) {
    const auto holder = choose_holder(draft);
    if (draft.record.name.size() > 255) refuse("an internal snapshot's name may have 255 bytes at most", "choose a shorter name, or external memory");
    if (const auto* file = draft.facts.file(holder.path); file && file->tags.contains(holder.tag))
        throw Error(ErrorCode::conflict, fmt::format("image {} already holds an internal snapshot '{}'", holder.path, holder.tag), "choose another name");
    auto points = internal_points(draft);
    const bool is_disk = std::any_of(points.begin(), points.end(), [&](const auto& p) { return p.node == holder.node; });
    if (!is_disk) points.push_back(holder);
    draft.record.memory_point = model::DiskPoint{holder.path, "qcow2", holder.tag};
    const auto overlays = overlay_switches(draft);
    for (const auto& one : overlays) draft.plan.steps.push_back(AddNode{one.overlay_node, one.overlay_path, "qcow2"});
    const bool running = draft.facts.state == model::SnapshotState::running;
    draft.plan.steps.push_back(SaveInternal{"domsnap-save-" + draft.facts.unique, draft.record.name, holder.node, points, overlays, running});
    if (holder.target.empty()) draft.plan.steps.push_back(DropNode{holder.node});
    draft.plan.space += draft.facts.memory_in_use;
    draft.plan.guest = "The guest stands still while its memory is written into an image.";
}

void plan_online(Draft& draft) {
    auto& steps = draft.plan.steps;
    const bool running = draft.facts.state == model::SnapshotState::running;
    if (draft.has_memory(Location::internal)) return plan_internal_memory(draft);
    SwitchDisks change{overlay_switches(draft), internal_points(draft), {}, false, running};
    if (draft.has_memory(Location::external)) {
        change.image = draft.record.memory.file;
        change.background = draft.facts.background_snapshot && running;
        steps.push_back(ReserveImage{change.image});
        if (running && !change.background)
            draft.plan.warnings.push_back(fmt::format("the guest will stand still while its memory is saved: {}", draft.facts.why_not_background));
    }
    for (const auto& one : change.overlays) steps.push_back(AddNode{one.overlay_node, one.overlay_path, "qcow2"});
    steps.push_back(change);
    if (!change.image.empty()) steps.push_back(AwaitCapture{change.image, running});
    draft.plan.guest = !running ? "The guest is paused and stays so."
                       : change.image.empty() || change.background ? "The guest is stopped once, for milliseconds."
                                                                   : "The guest stands still until its memory is saved.";
}

void plan_offline(Draft& draft) {
    for (const auto& point : internal_points(draft)) draft.plan.steps.push_back(CreateInternal{point.path, point.tag});
    draft.plan.guest = "The domain is off.";
}

/// The documents after the switch: each external disk on its overlay.
void plan_documents(Draft& draft) {
    model::Domain live = draft.facts.live, definition = draft.facts.definition;
    bool changed = false;
    for (const auto& wanted : draft.record.disks) {
        if (wanted.location != Location::external) continue;
        model::set_disk_source(live, wanted.name, "file", wanted.source, wanted.driver);
        const auto* same = definition.find_disk(wanted.name);
        // A disk that was plugged in only for this run is none of the next start's business.
        if (same && same->source == wanted.point->file)
            model::set_disk_source(definition, wanted.name, "file", wanted.source, wanted.driver);
        changed = true;
    }
    if (!changed) return;
    if (draft.facts.online()) draft.plan.steps.push_back(PutLive{document_text(live), document_text(draft.facts.live)});
    draft.plan.steps.push_back(PutDefinition{document_text(definition), document_text(draft.facts.definition)});
}

void plan_record(Draft& draft, const model::SnapshotTree& tree) {
    auto& record = draft.record;
    record.creation_time = draft.facts.now;
    record.parent = tree.current();
    record.has_disks = true;
    const bool disk_only = draft.facts.online() && draft.has_memory(Location::no);
    record.state = disk_only ? model::SnapshotState::disk_snapshot : draft.facts.online() ? draft.facts.state : model::SnapshotState::shutoff;
    record.domain = {draft.facts.live.document};
    record.domain.front().remove_attribute("id"); // of one run; a revert's is another
    if (draft.facts.online()) record.inactive_domain = {inactive_document(draft.facts.definition)};
    draft.plan.point_of_no_return = static_cast<uint32_t>(draft.plan.steps.size());
    if (!draft.options.no_metadata) {
        draft.plan.steps.push_back(PutRecord{record.name, record_text(record), {}});
        draft.plan.steps.push_back(SetCurrent{record.name, tree.current()});
    }
    if (draft.options.halt && draft.facts.online()) {
        draft.plan.steps.push_back(EndGuest{"from snapshot"});
        draft.plan.guest += " Then it is ended.";
    }
    draft.plan.clean_up = static_cast<uint32_t>(draft.plan.steps.size());
}

} // namespace

static Location asked_location(const SnapshotDisk& disk) {
    if (disk.location == Location::manual) return Location::external;
    return disk.location == Location::omitted && !disk.source.empty() ? Location::external : disk.location;
}

/// True if a disk that could be saved is not spoken of: its default decides.
static bool leaves_some_open(const Snapshot& request, const model::Domain& domain) {
    return std::any_of(domain.disks.begin(), domain.disks.end(), [&](const model::Disk& disk) {
        const auto speaks_of_it = [&](const SnapshotDisk& d) { return domain.find_disk(d.name) == &disk && d.location != Location::omitted; };
        return !disk.defaults_to_no() && disk.snapshot != Location::no && std::none_of(request.disks.begin(), request.disks.end(), speaks_of_it);
    });
}

Cell cell_of(const Snapshot& request, const CreateOptions& options, const model::Domain& domain, bool online) {
    Cell cell{online, request.memory.location, Location::omitted, options.disk_only};
    const auto strength = [](Location l) { return l == Location::external ? 3 : l == Location::internal ? 2 : l == Location::no ? 1 : 0; };
    for (const auto& disk : request.disks)
        if (const Location location = asked_location(disk); strength(location) > strength(cell.disk)) cell.disk = location;
    if (cell.disk == Location::no && leaves_some_open(request, domain)) cell.disk = Location::omitted;
    return cell;
}

Plan plan_create(Snapshot request, const CreateOptions& options, const Facts& facts, const model::SnapshotTree& tree) {
    Draft draft{std::move(request), options, facts, facts.taken, {}};
    choose_name(draft, tree);
    draft.plan.operation = "snapshot-create";
    draft.plan.domain = facts.live.name;
    draft.plan.uuid = facts.live.uuid;
    draft.plan.snapshot = draft.record.name;
    if (draft.has_memory(Location::external)) plan_memory_file(draft);
    plan_disks(draft);
    if (facts.online()) plan_online(draft);
    else plan_offline(draft);
    plan_documents(draft);
    plan_record(draft, tree);
    return std::move(draft.plan);
}

} // namespace domsnap::plan
