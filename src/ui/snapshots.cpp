#include "ui/snapshots.h"

#include "base/text.h"
#include "ui/json.h"
#include "ui/table.h"
#include "ui/time.h"
#include "ui/tree.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

std::string snapshot_table(const std::vector<SnapshotInfo>& snapshots, bool parent, bool quiet) {
    Row heading{"Name", "Creation Time", "State"};
    if (parent) heading.push_back("Parent");
    std::vector<Row> rows;
    for (const auto& snapshot : snapshots) {
        rows.push_back({snapshot.name, local_time(snapshot.creation_time), snapshot.state});
        if (parent) rows.back().push_back(snapshot.parent);
    }
    return table(quiet ? Row{} : heading, rows);
}

std::string snapshot_names(const std::vector<SnapshotInfo>& snapshots) {
    std::vector<std::string> names;
    for (const auto& snapshot : snapshots)
        names.push_back(snapshot.name);
    return lines(names);
}

std::string snapshot_tree(const std::vector<SnapshotInfo>& snapshots) {
    std::vector<TreeNode> nodes;
    for (const auto& snapshot : snapshots)
        nodes.push_back({snapshot.name, snapshot.parent});
    return tree(nodes);
}

static const char* location(const SnapshotInfo& snapshot) {
    return snapshot.external ? "external" : "internal";
}

static std::string words_of(const MemoryImageInfo& memory) {
    if (!memory.problem.empty()) return memory.problem;
    return fmt::format("{} over {} (chain of {})", text::human_size(memory.size), memory.parent,
                       memory.chain);
}

/// "" for memory of its own.
static std::string words_of(SnapshotInfo::Ram ram) {
    if (ram == SnapshotInfo::Ram::own) return {};
    return ram == SnapshotInfo::Ram::mapped ? "mapped" : "mapped on tmpfs";
}

std::string snapshot_block(const SnapshotInfo& snapshot, const std::optional<MemoryImageInfo>& memory) {
    std::vector<std::pair<std::string, std::string>> rows{
        {"Name", snapshot.name},
        {"Domain", snapshot.domain},
        {"Current", snapshot.current ? "yes" : "no"},
        {"State", snapshot.state},
        {"Location", location(snapshot)},
        {"Parent", snapshot.parent.empty() ? "-" : snapshot.parent},
        {"Children", std::to_string(snapshot.children)},
        {"Descendants", std::to_string(snapshot.descendants)},
        {"Metadata", "yes"}};
    // virsh's block but for these two.
    if (memory && (!memory->parent.empty() || !memory->problem.empty()))
        rows.emplace_back("Memory", words_of(*memory));
    if (const auto ram = words_of(snapshot.ram); snapshot.warm)
        rows.emplace_back("Warm", ram.empty() ? "yes" : fmt::format("yes, memory {}", ram));
    return block(rows);
}

static Json json_of(const SnapshotInfo& snapshot) {
    Json json{{"name", snapshot.name},
              {"domain", snapshot.domain},
              {"current", snapshot.current},
              {"state", snapshot.state},
              {"creationTime", snapshot.creation_time},
              {"location", location(snapshot)},
              {"memory", snapshot.memory},
              {"parent", snapshot.parent.empty() ? Json() : Json(snapshot.parent)},
              {"children", snapshot.children},
              {"descendants", snapshot.descendants},
              {"description", snapshot.description}};
    if (snapshot.warm) json["warm"] = true; // lists do not look
    if (snapshot.ram != SnapshotInfo::Ram::own) json["ram"] = words_of(snapshot.ram);
    return json;
}

std::string snapshots_json(const std::string& domain, const std::vector<SnapshotInfo>& snapshots) {
    Json list = Json::array();
    for (const auto& snapshot : snapshots)
        list.push_back(json_of(snapshot));
    return json_text({{"domain", domain}, {"snapshots", list}});
}

static Json json_of(const MemoryImageInfo& memory) {
    Json json{{"file", memory.file},
              {"size", memory.size},
              {"parent", memory.parent.empty() ? Json() : Json(memory.parent)},
              {"chain", memory.chain}};
    if (!memory.problem.empty()) json["problem"] = memory.problem;
    return json;
}

std::string snapshot_json(const SnapshotInfo& snapshot, const std::optional<MemoryImageInfo>& memory) {
    auto json = json_of(snapshot);
    if (memory) json["memoryImage"] = json_of(*memory);
    return json_text(json);
}

} // namespace domsnap::ui
