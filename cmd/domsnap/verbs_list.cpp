// What domains there are, and what each is.
#include "groups.h"
#include "session.h"
#include "ui/domains.h"
#include "ui/width.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::cli {

/// A pair of options that ask for the one or the other half; both or neither ask for all.
static bool kept(const Arguments& arguments, const std::string& with, const std::string& without,
                 bool is_with) {
    if (arguments.has(with) == arguments.has(without)) return true;
    return arguments.has(with) == is_with;
}

static bool state_kept(const Arguments& arguments, DomainState state) {
    static const std::vector<std::string> names{"state-running", "state-paused", "state-shutoff",
                                                "state-other"};
    if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return arguments.has(name); }))
        return true;
    switch (state) {
    case DomainState::running:
        return arguments.has("state-running");
    case DomainState::paused:
    case DomainState::in_error:
        return arguments.has("state-paused");
    case DomainState::shutoff:
        return arguments.has("state-shutoff");
    case DomainState::crashed:
        break;
    }
    return arguments.has("state-other");
}

static bool domain_kept(Session& session, const Arguments& arguments, const DomainInfo& domain) {
    if (arguments.has("inactive") && !arguments.has("all") && domain.active()) return false;
    // Every domain of ours is persistent, and none starts by itself.
    if (!kept(arguments, "persistent", "transient", true) ||
        !kept(arguments, "autostart", "no-autostart", false) || !state_kept(arguments, domain.state))
        return false;
    if (arguments.has("with-managed-save") != arguments.has("without-managed-save") &&
        session.host().has_managed_save(domain.name) != arguments.has("with-managed-save"))
        return false;
    if (arguments.has("with-snapshot") == arguments.has("without-snapshot")) return true;
    return kept(arguments, "with-snapshot", "without-snapshot",
                !session.host().snapshots(domain.name).empty());
}

static ui::CpuSeconds cpu_of(Session& session) {
    return [&](const DomainInfo& domain) { return session.host().cpu_seconds(domain); };
}

static void list(Session& session, const Arguments& arguments) {
    std::vector<DomainInfo> domains;
    for (auto& domain : session.host().list(arguments.has("all") || arguments.has("inactive")))
        if (domain_kept(session, arguments, domain)) domains.push_back(std::move(domain));
    for (const auto& domain : domains)
        session.warn_of_unfinished(domain.name);
    if (session.json()) return session.print_document(ui::domains_json(domains, cpu_of(session)));
    const ui::DomainColumns columns{arguments.has("uuid"), arguments.has("id"), arguments.has("name")};
    const bool bare = columns.uuid || columns.id || columns.name;
    session.print(bare ? ui::domain_names(domains, columns) : ui::domain_table(domains, session.quiet()));
}

static void domstate(Session& session, const Arguments& arguments) {
    const auto domain = session.host().info(arguments.get("domain"));
    if (session.json()) return session.print_document(ui::domain_json(domain, cpu_of(session)));
    session.print(ui::domain_state(domain, arguments.has("reason")));
}

static void dominfo(Session& session, const Arguments& arguments) {
    const auto domain = session.host().info(arguments.get("domain"));
    session.warn_of_unfinished(domain.name);
    if (session.json()) return session.print_document(ui::domain_json(domain, cpu_of(session)));
    session.print(ui::domain_block(domain, cpu_of(session)));
}

static void domblklist(Session& session, const Arguments& arguments) {
    const auto disks = session.host().disks(arguments.get("domain"), arguments.has("inactive"));
    if (session.json())
        return session.print_document(
            ui::disks_json(session.host().info(arguments.get("domain")).name, disks));
    session.print(ui::disk_table(disks, arguments.has("details"), session.quiet()));
}

static void domid(Session& session, const Arguments& arguments) {
    const auto domain = session.host().info(arguments.get("domain"));
    session.print(domain.active() ? fmt::format("{}\n", domain.id) : "-\n");
}

static void domuuid(Session& session, const Arguments& arguments) {
    session.print(session.host().info(arguments.get("domain")).uuid + "\n");
}

static void domname(Session& session, const Arguments& arguments) {
    session.print(ui::cell(session.host().info(arguments.get("domain")).name) + "\n");
}

static Verb list_verb() {
    return {"list",
            "list domains",
            "Returns list of domains.",
            {flag("inactive", "list inactive domains"), flag("all", "list inactive & active domains"),
             flag("transient", "list transient domains"), flag("persistent", "list persistent domains"),
             flag("with-snapshot", "list domains with existing snapshot"),
             flag("without-snapshot", "list domains without a snapshot"),
             flag("state-running", "list domains in running state"),
             flag("state-paused", "list domains in paused state"),
             flag("state-shutoff", "list domains in shutoff state"),
             flag("state-other", "list domains in other states"),
             flag("autostart", "list domains with autostart enabled"),
             flag("no-autostart", "list domains with autostart disabled"),
             flag("with-managed-save", "list domains with managed save state"),
             flag("without-managed-save", "list domains without managed save"),
             flag("uuid", "list uuid's only"), flag("name", "list domain names only"),
             flag("id", "list domain IDs only"), flag("table", "list table (default)")},
            {exclusive("table", "name"), exclusive("table", "id"), exclusive("table", "uuid")},
            list};
}

std::vector<Verb> list_verbs() {
    return {
        list_verb(),
        {"domstate",
         "domain state",
         "Returns state about a domain.",
         {domain_argument(), flag("reason", "also print reason for the state")},
         {},
         domstate},
        {"dominfo",
         "domain information",
         "Returns basic information about the domain.",
         {domain_argument()},
         {},
         dominfo},
        {"domblklist",
         "list all domain blocks",
         "Get the summary of block devices for a domain.",
         {domain_argument(), flag("inactive", "get inactive rather than running configuration"),
          flag("details", "additionally display the type and device value")},
         {},
         domblklist},
        {"domid",
         "convert a domain name or UUID to domain id",
         "",
         {required("domain", "domain name or uuid")},
         {},
         domid},
        {"domuuid",
         "convert a domain name or id to domain UUID",
         "",
         {required("domain", "domain id or name")},
         {},
         domuuid},
        {"domname",
         "convert a domain id or UUID to domain name",
         "",
         {required("domain", "domain id or uuid")},
         {},
         domname},
    };
}

} // namespace domsnap::cli
