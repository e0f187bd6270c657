// snapshot-create and snapshot-create-as.
#include "files.h"
#include "groups.h"
#include "model/snapshot.h"
#include "session.h"
#include "specs.h"
#include "ui/plan.h"
#include "xml/snapshot.h"

#include <fmt/format.h>

namespace domsnap::cli {

static CreateOptions create_options(const Arguments& arguments) {
    CreateOptions options;
    const std::pair<const char*, bool*> flags[] = {{"redefine", &options.redefine},
                                                   {"current", &options.current},
                                                   {"no-metadata", &options.no_metadata},
                                                   {"halt", &options.halt},
                                                   {"disk-only", &options.disk_only},
                                                   {"reuse-external", &options.reuse_external},
                                                   {"quiesce", &options.quiesce},
                                                   {"atomic", &options.atomic},
                                                   {"live", &options.live},
                                                   {"validate", &options.validate},
                                                   {"dry-run", &options.dry_run},
                                                   {"full", &options.full}};
    for (const auto& [name, member] : flags)
        *member = arguments.has(name);
    options.wait = !arguments.has("no-wait");
    return options;
}

/// from: "" or " from 'FILE'".
static void create(Session& session, const Arguments& arguments, const std::string& xml,
                   const std::string& from) {
    const auto options = create_options(arguments);
    const auto result =
        session.host().snapshot_create(arguments.get("domain"), xml, options, session.control());
    if (options.dry_run) {
        if (session.json()) return session.print_document(ui::plan_json(result.plan));
        return session.print(ui::plan_text(result.plan));
    }
    session.say(fmt::format("Domain snapshot {} {}{}", result.name,
                            result.saving ? "is being saved" : "created", from));
    session.flush();
    for (const auto& task : result.plan.afterwards)
        session.warn(task);
}

static void snapshot_create(Session& session, const Arguments& arguments) {
    const std::string file = arguments.get("xmlfile");
    const std::string xml = file.empty() ? "<domainsnapshot/>" : read_document(file);
    if (arguments.has("print-xml")) {
        const auto snapshot = xml::parse_snapshot(
            xml, {.redefine = arguments.has("redefine"), .disk_only = arguments.has("disk-only")},
            file.empty() ? "(none)" : file);
        return session.print(model::to_pretty_text(model::to_element(snapshot, {.for_request = true})));
    }
    create(session, arguments, xml, file.empty() ? "" : fmt::format(" from '{}'", file));
}

static void snapshot_create_as(Session& session, const Arguments& arguments) {
    const auto xml = snapshot_document({arguments.get("name"), arguments.get("description"),
                                        arguments.get("memspec"), arguments.list("diskspec")});
    if (arguments.has("print-xml")) return session.print(xml + "\n"); // virsh's own extra line
    // XML has no place for control characters: writing it drops them, and another name would be left.
    if (arguments.has("name")) model::check_snapshot_name(arguments.get("name"));
    create(session, arguments, xml, "");
}

static std::vector<Option> with_common(std::vector<Option> options) {
    for (auto& option :
         {flag("no-metadata", "take snapshot but create no metadata"),
          flag("halt", "halt domain after snapshot is created"),
          flag("disk-only", "capture disk state but not vm state"),
          flag("reuse-external", "reuse any existing external files"),
          flag("quiesce", "quiesce guest's file systems"),
          flag("atomic", "require atomic operation (always so)"), flag("live", "take a live snapshot"),
          flag("validate", "validate the XML against the schema"),
          flag("print-xml", "print XML document rather than create"),
          flag("dry-run", "print the plan, change nothing"),
          flag("full", "store all of the memory, not only what differs from an earlier image"),
          flag("wait", "return when the snapshot is complete and durable (default)"),
          flag("no-wait", "return when the guest runs again; the snapshot is 'saving' until it is complete")})
        options.push_back(option);
    return options;
}

std::vector<Verb> create_verbs() {
    return {
        {"snapshot-create",
         "Create a snapshot from XML",
         "Create a snapshot (disk and RAM) from XML",
         with_common({domain_argument(), argument("xmlfile", "domain snapshot XML; - is standard input"),
                      flag("redefine", "redefine metadata for existing snapshot"),
                      flag("current", "with redefine, set current snapshot")}),
         {exclusive("wait", "no-wait"), exclusive("print-xml", "dry-run")},
         snapshot_create},
        {"snapshot-create-as",
         "Create a snapshot from a set of args",
         "Create a snapshot (disk and RAM) from arguments",
         with_common(
             {domain_argument(), argument("name", "name of snapshot"),
              argument("description", "description of snapshot"),
              value("memspec", "memory attributes: [file=]name[,snapshot=type]"),
              argument_list("diskspec",
                            "disk attributes: disk[,snapshot=type][,driver=type][,stype=type][,file=name]")}),
         {exclusive("wait", "no-wait"), exclusive("print-xml", "dry-run")},
         snapshot_create_as},
    };
}

} // namespace domsnap::cli
