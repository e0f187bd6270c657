// Documents without a domain: snapshot-format and validate.
#include "files.h"
#include "groups.h"
#include "model/domain.h"
#include "model/snapshot.h"
#include "session.h"
#include "xml/document.h"
#include "xml/snapshot.h"
#include "xml/validate.h"

#include <fmt/format.h>

namespace domsnap::cli {

using model::Location;

/// What libvirt takes where nothing was said: memory internal, disks as the memory (or external with
/// --disk-only).
static void resolve_defaults(model::Snapshot& snapshot, const model::Domain& domain, bool disk_only) {
    if (snapshot.memory.location == Location::omitted)
        snapshot.memory.location = disk_only ? Location::no : Location::internal;
    xml::align_disks(snapshot, domain, xml::default_disk_location(snapshot, disk_only));
    if (!snapshot.name.empty()) xml::generate_overlays(snapshot, domain);
    for (auto& disk : snapshot.disks)
        if (disk.location == Location::external && disk.driver.empty()) disk.driver = "qcow2";
}

static void snapshot_format(Session& session, const Arguments& arguments) {
    const std::string file = arguments.get("file");
    const bool redefine = arguments.has("redefine"), disk_only = arguments.has("disk-only");
    auto snapshot =
        xml::parse_snapshot(read_document(file), {.redefine = redefine, .disk_only = disk_only}, file);
    if (arguments.has("domain")) {
        const std::string domain_file = arguments.get("domain");
        const auto domain =
            model::domain_from(xml::parse_root(read_document(domain_file), "domain", domain_file));
        resolve_defaults(snapshot, domain, disk_only);
    }
    session.print_document(model::to_pretty_text(model::to_element(snapshot)));
}

static std::string schema_for(const std::string& text, const std::string& file) {
    const std::string root = xml::parse(text, file).name;
    std::string schema = xml::find_schema(root);
    if (schema.empty())
        throw Error(ErrorCode::not_found,
                    fmt::format("no schema was found for <{}>, the root of '{}'", root, file),
                    "name one after the file; libvirt's come with its daemon's package");
    return schema;
}

static void validate(Session& session, const Arguments& arguments) {
    const std::string file = arguments.get("file"), text = read_document(file);
    const std::string schema = arguments.has("schema") ? arguments.get("schema") : schema_for(text, file);
    const auto faults = xml::validate(text, file, schema);
    for (const auto& fault : faults)
        print_error(fmt::format("{}:{}: {}", file, fault.line, fault.reason), "");
    if (!faults.empty())
        throw Error(ErrorCode::invalid_request, fmt::format("{} fails to validate against {}", file, schema));
    session.print_document(fmt::format("{} validates\n", file));
}

std::vector<Verb> xml_verbs() {
    return {
        {"snapshot-format",
         "print the canonical form of a <domainsnapshot>",
         "Parse a snapshot's XML and print what was understood; with --domain aligned with its disks, every "
         "default resolved.",
         {required("file", "domain snapshot XML; - is standard input"),
          flag("redefine",
               "name, state, parent, creationTime and domain count, as in snapshot-create --redefine"),
          flag("disk-only", "as in snapshot-create --disk-only"),
          value("domain", "file with the domain's XML")},
         {},
         snapshot_format},
        {"validate",
         "check a <domain> or <domainsnapshot> against its schema",
         "Print the line and the reason of every fault.",
         {required("file", "the document; - is standard input"),
          argument("schema", "a RELAX NG file; default: by the root element")},
         {},
         validate},
    };
}

} // namespace domsnap::cli
