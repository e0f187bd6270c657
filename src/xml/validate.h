// RELAX NG: the schemas in schemas/, and libvirt's own where they are installed. Used as an oracle for what
// we write and by `validate`; the human messages are the parsers'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace domsnap::xml {

struct Fault {
    int line = 0;
    std::string reason;
};

/// The schema file for a root element ("domain", "domainsnapshot"): ours from $DOMSNAP_SCHEMA_DIR, the
/// install prefix or the source tree; for "domain" libvirt's, where installed (/usr/share/libvirt/schemas).
/// Empty if there is none.
std::string find_schema(const std::string& root_element);

/// Every fault with its line. Throws invalid_request for text that is no XML, not_found/io for the schema.
std::vector<Fault> validate(std::string_view text, const std::string& source, const std::string& schema_path);

/// Throws invalid_request with the first fault; nothing if there is none.
void require_valid(std::string_view text, const std::string& source, const std::string& schema_path);

} // namespace domsnap::xml
