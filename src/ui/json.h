// One JSON document as every listing verb prints it: keys in the order written, two blanks a level, a
// newline.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace domsnap::ui {

using Json = nlohmann::ordered_json;

/// Bytes that are no UTF-8 become U+FFFD: a document that cannot be read helps nobody.
std::string json_text(const Json& document);

} // namespace domsnap::ui
