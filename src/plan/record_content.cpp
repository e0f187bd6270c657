#include "plan/record_content.h"

#include "base/error.h"

#include <fmt/format.h>

namespace domsnap::plan {

using model::Snapshot;

model::Domain machine_of(const Snapshot& snapshot, const std::vector<model::Element>& elements,
                         const std::string& name) {
    if (elements.empty())
        throw Error(ErrorCode::corrupt,
                    fmt::format("snapshot '{}' has no <domain>: the machine it was taken of is not known",
                                snapshot.name),
                    "redefine it with a <domain> (snapshot-create --redefine)");
    model::Element element = elements.front();
    element.name = "domain";
    model::set_indentation(element, 0);
    model::Domain domain = model::domain_from(std::move(element));
    model::set_name(domain, name); // the domain may have been renamed since
    return domain;
}

const FileFacts& usable_file(const Facts& facts, const Snapshot& snapshot, const std::string& disk,
                             const model::DiskPoint& point) {
    const auto* file = facts.file(point.file);
    const std::string problem = !file ? "it was not found" : file->problem;
    if (!problem.empty())
        throw Error(ErrorCode::conflict,
                    fmt::format("snapshot '{}' needs file {} for disk '{}': {}", snapshot.name, point.file,
                                disk, problem),
                    "put the file back; nothing was changed");
    if (!point.tag.empty() && !file->tags.contains(point.tag))
        throw Error(
            ErrorCode::conflict,
            fmt::format("snapshot '{}' needs the internal snapshot '{}' in {} (disk '{}'): it is not there",
                        snapshot.name, point.tag, point.file, disk),
            "it was deleted behind domsnap's back; nothing was changed");
    return *file;
}

void check_image(const Facts& facts, const Snapshot& snapshot) {
    const auto found = facts.images.find(snapshot.memory.file);
    if (found != facts.images.end() && found->second.problem.empty()) return;
    throw Error(
        ErrorCode::conflict,
        fmt::format("the memory of snapshot '{}' cannot be used: {}", snapshot.name,
                    found == facts.images.end() ? "its image was not looked at" : found->second.problem),
        "nothing was changed");
}

} // namespace domsnap::plan
