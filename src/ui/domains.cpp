#include "ui/domains.h"

#include "ui/json.h"
#include "ui/table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

static std::string id_text(const DomainInfo& domain) {
    return domain.active() ? std::to_string(domain.id) : "-";
}

std::string domain_table(const std::vector<DomainInfo>& domains, bool quiet) {
    std::vector<Row> rows;
    for (const auto& domain : domains)
        rows.push_back({id_text(domain), domain.name, to_string(domain.state)});
    return table(quiet ? Row{} : Row{"Id", "Name", "State"}, rows);
}

std::string domain_names(const std::vector<DomainInfo>& domains, const DomainColumns& columns) {
    std::vector<std::string> texts;
    for (const auto& domain : domains) {
        std::vector<std::string> parts;
        if (columns.uuid) parts.push_back(domain.uuid);
        if (columns.id) parts.push_back(id_text(domain));
        if (columns.name) parts.push_back(domain.name);
        texts.push_back(fmt::format("{}", fmt::join(parts, " ")));
    }
    return lines(texts);
}

static std::string kibibytes(uint64_t bytes) { return fmt::format("{} KiB", bytes / 1024); }

std::string domain_block(const DomainInfo& domain, const CpuSeconds& cpu) {
    std::vector<std::pair<std::string, std::string>> fields = {{"Id", id_text(domain)},
                                                               {"Name", domain.name},
                                                               {"UUID", domain.uuid},
                                                               {"OS Type", domain.os_type},
                                                               {"State", to_string(domain.state)},
                                                               {"CPU(s)", std::to_string(domain.vcpus)}};
    if (domain.active()) fields.emplace_back("CPU time", fmt::format("{:.1f}s", cpu(domain)));
    fields.emplace_back("Max memory", kibibytes(domain.max_memory));
    fields.emplace_back("Used memory", kibibytes(domain.used_memory));
    // Scripts look for these; every domain of ours is persistent, none starts by itself or is saved by the
    // host.
    fields.emplace_back("Persistent", "yes");
    fields.emplace_back("Autostart", "disable");
    fields.emplace_back("Managed save", "no");
    fields.emplace_back("Security model", "none");
    fields.emplace_back("Security DOI", "0");
    return block(fields);
}

std::string domain_state(const DomainInfo& domain, bool reason) {
    if (!reason) return fmt::format("{}\n", to_string(domain.state));
    return fmt::format("{} ({})\n", to_string(domain.state),
                       domain.reason.empty() ? "unknown" : domain.reason);
}

std::string disk_table(const std::vector<DiskInfo>& disks, bool details, bool quiet) {
    std::vector<Row> rows;
    for (const auto& disk : disks) {
        const std::string source = disk.source.empty() ? "-" : disk.source;
        rows.push_back(details ? Row{disk.type, disk.device, disk.target, source} : Row{disk.target, source});
    }
    if (quiet) return table({}, rows);
    return table(details ? Row{"Type", "Device", "Target", "Source"} : Row{"Target", "Source"}, rows);
}

static Json json_of(const DomainInfo& domain, const CpuSeconds& cpu) {
    return {{"id", domain.active() ? Json(domain.id) : Json()},
            {"name", domain.name},
            {"uuid", domain.uuid},
            {"state", to_string(domain.state)},
            {"reason", domain.reason},
            {"osType", domain.os_type},
            {"type", domain.type},
            {"machine", domain.machine},
            {"vcpus", domain.vcpus},
            {"maxMemory", domain.max_memory},
            {"usedMemory", domain.used_memory},
            {"pid", domain.pid > 0 ? Json(domain.pid) : Json()},
            {"cpuSeconds", cpu(domain)}};
}

std::string domains_json(const std::vector<DomainInfo>& domains, const CpuSeconds& cpu) {
    Json list = Json::array();
    for (const auto& domain : domains)
        list.push_back(json_of(domain, cpu));
    return json_text({{"domains", list}});
}

std::string domain_json(const DomainInfo& domain, const CpuSeconds& cpu) {
    return json_text(json_of(domain, cpu));
}

std::string disks_json(const std::string& domain, const std::vector<DiskInfo>& disks) {
    Json list = Json::array();
    for (const auto& disk : disks)
        list.push_back({{"target", disk.target},
                        {"type", disk.type},
                        {"device", disk.device},
                        {"source", disk.source.empty() ? Json() : Json(disk.source)},
                        {"format", disk.format},
                        {"bus", disk.bus},
                        {"chain", disk.chain}});
    return json_text({{"domain", domain}, {"disks", list}});
}

} // namespace domsnap::ui
