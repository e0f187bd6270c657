// What snapshots there are, and what each is.
#include "groups.h"
#include "names.h"
#include "session.h"
#include "ui/snapshots.h"

#include <fmt/format.h>

namespace domsnap::cli {

static ui::SnapshotFilter filter_of(const Arguments& arguments) {
    ui::SnapshotFilter filter;
    const std::pair<const char*, bool*> flags[] = {{"roots", &filter.roots},
                                                   {"leaves", &filter.leaves},
                                                   {"no-leaves", &filter.no_leaves},
                                                   {"metadata", &filter.metadata},
                                                   {"no-metadata", &filter.no_metadata},
                                                   {"inactive", &filter.inactive},
                                                   {"active", &filter.active},
                                                   {"disk-only", &filter.disk_only},
                                                   {"internal", &filter.internal},
                                                   {"external", &filter.external},
                                                   {"descendants", &filter.descendants},
                                                   {"tree", &filter.keep_from},
                                                   {"topological", &filter.topological}};
    for (const auto& [name, member] : flags)
        *member = arguments.has(name);
    return filter;
}

static void snapshot_list(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain");
    auto filter = filter_of(arguments);
    if (arguments.has("from"))
        filter.from = session.host().snapshot_info(domain, arguments.get("from")).name;
    else if (arguments.has("current"))
        filter.from = snapshot_name(session, arguments);
    session.warn_of_unfinished(domain);
    const auto snapshots = ui::select(session.host().snapshots(domain), filter);
    if (session.json())
        return session.print_document(ui::snapshots_json(session.host().info(domain).name, snapshots));
    if (arguments.has("tree")) return session.print(ui::snapshot_tree(snapshots));
    if (arguments.has("name")) return session.print(ui::snapshot_names(snapshots));
    session.print(ui::snapshot_table(snapshots, arguments.has("parent"), session.quiet()));
}

static void snapshot_info(Session& session, const Arguments& arguments) {
    const auto domain = arguments.get("domain"), name = snapshot_name(session, arguments);
    const auto snapshot = session.host().snapshot_info(domain, name);
    const auto memory = session.host().snapshot_memory(domain, name);
    if (session.json()) return session.print_document(ui::snapshot_json(snapshot, memory));
    session.print(ui::snapshot_block(snapshot, memory));
}

static void snapshot_dumpxml(Session& session, const Arguments& arguments) {
    session.print(session.host().snapshot_xml(arguments.get("domain"), arguments.get("snapshotname"),
                                              arguments.has("security-info")));
}

static void snapshot_parent(Session& session, const Arguments& arguments) {
    const std::string name = snapshot_name(session, arguments);
    const auto parent = session.host().snapshot_parent(arguments.get("domain"), name);
    if (parent.empty()) throw Error(ErrorCode::not_found, fmt::format("snapshot '{}' has no parent", name));
    session.print(parent);
}

static Verb list_verb() {
    const Rule needs_start{{"descendants", "!from", "!current"},
                           "--descendants requires either --from or --current"};
    return {
        "snapshot-list",
        "List snapshots for a domain",
        "Snapshot List",
        {domain_argument(), flag("parent", "add a column showing parent snapshot"),
         flag("roots", "list only snapshots without parents"),
         flag("leaves", "list only snapshots without children"),
         flag("no-leaves", "list only snapshots that are not leaves (with children)"),
         flag("metadata", "list only snapshots that have metadata that would prevent undefine"),
         flag("no-metadata", "list only snapshots that have no metadata"),
         flag("inactive", "filter by snapshots taken while inactive"),
         flag("active", "filter by snapshots taken while active (full system snapshots)"),
         flag("disk-only", "filter by disk-only snapshots"), flag("internal", "filter by internal snapshots"),
         flag("external", "filter by external snapshots"), flag("tree", "list snapshots in a tree"),
         argument("from", "limit list to children of given snapshot"),
         flag("current", "limit list to children of current snapshot"),
         flag("descendants", "with --from, list all descendants"), flag("name", "list snapshot names only"),
         flag("topological", "sort list topologically rather than by name")},
        {exclusive("tree", "name"), exclusive("parent", "roots"), exclusive("parent", "tree"),
         exclusive("roots", "tree"), exclusive("roots", "from"), exclusive("roots", "current"),
         exclusive_short("leaves", "tree"), exclusive_short("no-leaves", "tree"),
         exclusive_short("inactive", "tree"), exclusive_short("active", "tree"),
         exclusive_short("disk-only", "tree"), exclusive_short("internal", "tree"),
         exclusive_short("external", "tree"), exclusive_short("from", "current"), needs_start},
        snapshot_list};
}

std::vector<Verb> tree_verbs() {
    return {
        {"snapshot-dumpxml",
         "Dump XML for a domain snapshot",
         "Snapshot Dump XML",
         {domain_argument(), required("snapshotname", "snapshot name"),
          flag("security-info", "include security sensitive information in XML dump")},
         {},
         snapshot_dumpxml},
        {"snapshot-info",
         "snapshot information",
         "Returns basic information about a snapshot.",
         {domain_argument(), snapshot_argument(), flag("current", "info on current snapshot")},
         snapshot_rules(),
         snapshot_info},
        list_verb(),
        {"snapshot-parent",
         "Get the name of the parent of a snapshot",
         "Extract the snapshot's parent, if any",
         {domain_argument(), snapshot_argument("find parent of snapshot name"),
          flag("current", "find parent of current snapshot")},
         snapshot_rules(),
         snapshot_parent},
    };
}

} // namespace domsnap::cli
