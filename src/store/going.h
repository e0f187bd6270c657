// What lies elsewhere and goes with a domain's folder: noted in the folder before it counts
// (docs/formats/store.md, "going").
#pragma once

#include <string>
#include <vector>

namespace domsnap::store {

void put_going(const std::string& folder, const std::vector<std::string>& paths);
void remove_going(const std::string& folder);
/// Removes what goes with the folder, and it last: it says what else must.
void finish_removal(const std::string& folder);

} // namespace domsnap::store
