// A small JSON document in a domain's run-time folder, version 1 of its kind. What is in it is its owner's
// business.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace domsnap::memory {

/// Hands the document to `take`; false if there is no such file. Throws unsupported for one of a newer
/// version, corrupt for one that is no document or in which `take` does not find what it wants.
bool read_status_file(const std::string& path, const std::function<void(const nlohmann::json&)>& take);
/// With the version.
void write_status_file(const std::string& path, nlohmann::json document);

} // namespace domsnap::memory
