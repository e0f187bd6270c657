// Which snapshot a verb is about: --snapshotname, or --current.
#pragma once

#include "session.h"
#include "verb.h"

namespace domsnap::cli {

Option snapshot_argument(const std::string& help = "snapshot name");
/// "--snapshotname and --current are mutually exclusive", "--snapshotname or --current is required"
std::vector<Rule> snapshot_rules();
/// The name given, or the current one's. Throws not_found: "domain 'g' has no current snapshot".
std::string snapshot_name(Session& session, const Arguments& arguments);

} // namespace domsnap::cli
