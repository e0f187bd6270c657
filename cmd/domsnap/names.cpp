#include "names.h"

#include <fmt/format.h>

namespace domsnap::cli {

Option snapshot_argument(const std::string& help) { return argument("snapshotname", help); }

std::vector<Rule> snapshot_rules() {
    return {exclusive_short("snapshotname", "current"),
            {{"!snapshotname", "!current"}, "--snapshotname or --current is required"}};
}

std::string snapshot_name(Session& session, const Arguments& arguments) {
    if (arguments.has("snapshotname")) return arguments.get("snapshotname");
    const std::string domain = arguments.get("domain");
    const std::string current = session.host().snapshot_current(domain);
    if (current.empty())
        throw Error(ErrorCode::not_found, fmt::format("domain '{}' has no current snapshot", domain),
                    fmt::format("domsnap snapshot-list {} shows its snapshots", domain));
    return current;
}

} // namespace domsnap::cli
