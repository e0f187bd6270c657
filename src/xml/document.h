// Text -> Element, on libxml2, for hostile input: no network, no external entities or DTDs, no entity
// expansion, depth (256) and size (16 MiB) bounded.
#pragma once

#include "model/element.h"

#include <string>
#include <string_view>

namespace domsnap::xml {

/// source: how messages name the text ("vm.xml", "(domain_definition)"). Throws invalid_request with line,
/// column and libxml2's own words. UTF-8 (or what the XML declaration says); the result's texts are UTF-8.
model::Element parse(std::string_view text, const std::string& source);

/// The same, but stops reading when the root's child named stop_at begins: what precedes it is returned. For
/// long lists of records whose heads alone matter.
model::Element parse_head(std::string_view text, std::string_view stop_at, const std::string& source);

/// The named root is required: "expecting root element of 'domainsnapshot', not 'foo'".
model::Element parse_root(std::string_view text, const std::string& root, const std::string& source);

} // namespace domsnap::xml
