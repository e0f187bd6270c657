// Host: snapshots as they are listed, shown and edited.
#include "base/error.h"
#include "base/text.h"
#include "engine/in_place.h"
#include "engine/mapped_image.h"
#include "engine/outlines.h"
#include "engine/redefine.h"
#include "engine/saving.h"
#include "engine/session.h"
#include "memory/image_link.h"
#include "memory/save_file.h"
#include "model/first_name.h"
#include "os/file.h"
#include "xml/snapshot.h"

#include <algorithm>
#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

using namespace engine;

namespace {

SnapshotInfo info_of(const model::SnapshotOutline& snapshot, const model::OutlineTree& tree,
                     const model::OutlineTree::Below& below, const std::string& domain) {
    SnapshotInfo info;
    info.name = snapshot.name;
    info.domain = domain;
    info.state = model::to_string(snapshot.state);
    info.parent = tree.find(snapshot.parent) ? snapshot.parent : "";
    info.current = tree.current() == snapshot.name;
    info.external = snapshot.external;
    info.memory = model::to_string(snapshot.memory);
    info.has_memory =
        snapshot.memory == model::Location::internal || snapshot.memory == model::Location::external;
    info.children = below.children;
    info.descendants = below.descendants;
    info.creation_time = snapshot.creation_time;
    info.description = snapshot.description;
    return info;
}

/// Nothing if the record is there by now.
std::optional<SnapshotInfo> info_of(const std::optional<Saving>& saved, const model::OutlineTree& tree,
                                    const std::string& domain) {
    if (!saved || saved->ending || tree.find(saved->snapshot.name)) return std::nullopt;
    auto info = info_of(model::outline_of(saved->snapshot), tree, {}, domain);
    info.state = "saving";
    return info;
}

} // namespace

std::vector<SnapshotInfo> Host::snapshots(const std::string& domain) const {
    const View view = view_of(folders_, domain);
    const auto saved = saving(view); // first: it becomes a record, and is seen as one or the other then
    const auto tree = outlines_of(view);
    const auto below = tree.count_below();
    std::vector<SnapshotInfo> all;
    all.reserve(below.size() + 1);
    for (const auto& snapshot : tree.all())
        all.push_back(info_of(snapshot, tree, below[all.size()], view.name()));
    if (auto info = info_of(saved, tree, view.name())) {
        const auto place = std::find_if(all.begin(), all.end(), [&](const SnapshotInfo& other) {
            return text::name_less(info->name, other.name);
        });
        all.insert(place, *std::move(info));
    }
    return all;
}

static SnapshotInfo::Ram ram_of(const View& view, const std::string& image) {
    try {
        const auto ram = mapped_ram(view);
        if (!ram || !is_mapped_from(*ram, image)) return SnapshotInfo::Ram::own;
        return ram->copy ? SnapshotInfo::Ram::mapped_on_tmpfs : SnapshotInfo::Ram::mapped;
    } catch (const Error&) {
        return SnapshotInfo::Ram::own; // what is wrong with its image is said elsewhere
    }
}

SnapshotInfo Host::snapshot_info(const std::string& domain, const std::string& snapshot) const {
    const View view = view_of(folders_, domain);
    const auto saved = saving(view);
    const auto tree = outlines_of(view);
    if (auto info = info_of(saved, tree, view.name()); info && info->name == snapshot) return *info;
    const auto& outline = tree.get(snapshot);
    const auto at = static_cast<size_t>(&outline - tree.all().data());
    auto info = info_of(outline, tree, tree.count_below()[at], view.name());
    info.warm = warm_snapshot(view) == snapshot;
    if (info.warm) info.ram = ram_of(view, view.snapshot(snapshot).memory.file);
    return info;
}

static void look_at_chain(MemoryImageInfo& image) {
    if (memory::SaveFile::is_one(image.file)) return;
    auto link = memory::image_link(image.file);
    if (link.parent) image.parent = memory::parent_file(image.file, *link.parent);
    for (auto below = image.parent; !below.empty() && image.chain < memory::max_chain; ++image.chain) {
        link = memory::image_link(below);
        below = link.parent ? memory::parent_file(below, *link.parent) : "";
    }
}

std::optional<MemoryImageInfo> Host::snapshot_memory(const std::string& domain,
                                                     const std::string& snapshot) const {
    const View view = view_of(folders_, domain);
    if (!view.folder().record(snapshot)) return std::nullopt; // it is being saved
    const auto record = view.snapshot(snapshot);
    if (record.memory.location != model::Location::external) return std::nullopt;
    MemoryImageInfo image;
    image.file = record.memory.file;
    try {
        if (const auto file = os::file_info(image.file)) image.size = file->allocated;
        look_at_chain(image);
    } catch (const Error& error) {
        image.problem = error.what();
    }
    return image;
}

std::string Host::snapshot_xml(const std::string& domain, const std::string& snapshot,
                               bool security_info) const {
    const View view = view_of(folders_, domain);
    auto record = view.snapshot(snapshot);
    model::set_first_name(record, model::first_name(record)); // records may be older than their cookies
    return model::to_text(model::to_element(record, {.security_info = security_info})) + "\n";
}

std::string Host::snapshot_parent(const std::string& domain, const std::string& snapshot) const {
    return view_of(folders_, domain).snapshot(snapshot).parent;
}

std::string Host::snapshot_current(const std::string& domain) const {
    return view_of(folders_, domain).folder().current();
}

void Host::set_snapshot_current(const std::string& domain, const std::string& snapshot,
                                const Control& control) {
    Session session(folders_, resolve_name(folders_, domain), "snapshot-current", control);
    session.snapshot(snapshot); // must exist
    session.folder().set_current(snapshot);
}

std::string Host::snapshot_edit(const std::string& domain, const std::string& snapshot,
                                const std::string& xml, bool rename, bool clone, const Control& control) {
    Session session(folders_, resolve_name(folders_, domain), "snapshot-edit", control);
    const auto old = session.snapshot(snapshot);
    return edit(session, old, xml::parse_snapshot(xml, {.redefine = true}, "(edited snapshot)"), rename,
                clone);
}

} // namespace domsnap
