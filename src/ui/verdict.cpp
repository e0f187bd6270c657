#include "ui/verdict.h"

#include "ui/json.h"
#include "ui/width.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

static std::string verdict_text(const std::string& domain, const Verdict& verdict) {
    const auto who = verdict.snapshot.empty() ? fmt::format("(domain {})", domain) : verdict.snapshot;
    std::string out = fmt::format("{}: {}\n", cell(who), verdict.good() ? "good" : "not good");
    for (const auto& problem : verdict.problems)
        out += fmt::format("    {}\n", cell(problem));
    for (const auto& note : verdict.notes)
        out += fmt::format("    (note: {})\n", cell(note));
    return out;
}

std::string verify_text(const std::string& domain, const VerifyResult& result) {
    std::string out;
    for (const auto& verdict : result.verdicts)
        out += verdict_text(domain, verdict);
    for (const auto& line : result.repaired)
        out += fmt::format("Repaired: {}\n", cell(line));
    return out;
}

std::string verify_json(const std::string& domain, const VerifyResult& result) {
    Json snapshots = Json::array(), own = nullptr;
    for (const auto& verdict : result.verdicts) {
        Json one{{"name", verdict.snapshot},
                 {"good", verdict.good()},
                 {"problems", verdict.problems},
                 {"notes", verdict.notes}};
        if (!verdict.snapshot.empty()) {
            snapshots.push_back(std::move(one));
        } else {
            one.erase("name");
            own = std::move(one);
        }
    }
    Json document{{"domain", domain}, {"good", result.good()}, {"snapshots", std::move(snapshots)}};
    if (!own.is_null()) document["own"] = std::move(own);
    document["repaired"] = result.repaired;
    return json_text(document);
}

} // namespace domsnap::ui
