// Host: what would be lost if the domain went back now. It is read from the world, not noted: from what QEMU
// says, and for a domain that is off from the images, whose tables show every write since a snapshot.
#include "base/error.h"
#include "base/text.h"
#include "engine/session.h"
#include "image/qemu_img.h"

#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

using namespace engine;

namespace {

/// Nothing was written to the disk since the point was frozen or gone back to.
bool is_unchanged(const model::Disk& disk, const model::DiskPoint& point) {
    try {
        if (!point.tag.empty())
            return disk.source == point.file && image::unchanged_since(disk.source, point.tag);
        const auto info = image::info(disk.source, disk.format);
        return info.backing_path == point.file && image::holds_nothing(disk.source);
    } catch (const Error&) {
        return false; // whoever cannot say that nothing is lost must ask
    }
}

/// Disks that were written to. One that the snapshot left out keeps its content whatever happens.
std::vector<std::string> changed_disks(const model::Domain& domain, const model::Snapshot& snapshot) {
    std::vector<std::string> changed;
    for (const auto& disk : domain.disks) {
        const auto* then = snapshot.find_disk(disk.target);
        if (!disk.empty() && then && then->point && !is_unchanged(disk, *then->point))
            changed.push_back(disk.target);
    }
    return changed;
}

} // namespace

std::string Host::unsaved_changes(const std::string& domain) const {
    const auto now = info(domain);
    const View view(folders_, now.name);
    const auto current = view.folder().current();
    const auto since = current.empty() ? std::string(", of which there is no snapshot")
                                       : fmt::format(" since snapshot '{}'", text::printable(current));
    // A guest that came back paused and was not let run has done nothing.
    if (now.active() && now.state == DomainState::paused && now.reason == "from snapshot") return {};
    if (now.active() || current.empty()) return "what the guest did" + since;
    const auto disks = changed_disks(view.definition(), view.snapshot(current));
    return disks.empty() ? "" : fmt::format("what was written to {}{}", text::join(disks, ", "), since);
}

} // namespace domsnap
