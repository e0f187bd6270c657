#include "ui/adopted.h"

#include "ui/json.h"
#include "ui/width.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

static std::string domain_text(const AdoptResult& result) {
    std::string out = fmt::format("{}: {}\n", cell(result.domain),
                                  result.good() ? "can be taken over" : "cannot be taken over");
    for (const auto& problem : result.problems)
        out += fmt::format("    problem: {}\n", cell(problem));
    for (const auto& snapshot : result.snapshots)
        out += fmt::format("    snapshot {}: {}{}\n", cell(snapshot.name),
                           snapshot.problem.empty() ? "" : "problem: ",
                           cell(snapshot.problem.empty() ? snapshot.what : snapshot.problem));
    for (const auto& [from, to] : result.renamed)
        out += fmt::format("    {} becomes {}\n", cell(from), cell(to));
    for (const auto& note : result.notes)
        out += fmt::format("    (note: {})\n", cell(note));
    return out;
}

std::string adopt_text(const std::vector<AdoptResult>& results) {
    std::string out;
    for (const auto& result : results)
        out += domain_text(result);
    return out + "Nothing has been changed.\n";
}

std::string adopt_json(const std::vector<AdoptResult>& results) {
    Json domains = Json::array();
    for (const auto& result : results) {
        Json snapshots = Json::array(), renamed = Json::array();
        for (const auto& snapshot : result.snapshots)
            snapshots.push_back(
                {{"name", snapshot.name}, {"what", snapshot.what}, {"problem", snapshot.problem}});
        for (const auto& [from, to] : result.renamed)
            renamed.push_back({{"from", from}, {"to", to}});
        domains.push_back({{"domain", result.domain},
                           {"uuid", result.uuid},
                           {"good", result.good()},
                           {"known", result.known},
                           {"managed_save", result.managed_save},
                           {"problems", result.problems},
                           {"notes", result.notes},
                           {"snapshots", std::move(snapshots)},
                           {"renamed", std::move(renamed)}});
    }
    return json_text({{"domains", std::move(domains)}});
}

} // namespace domsnap::ui
