// What changes snapshots, or a domain through them: revert, delete, edit, current.
#include "files.h"
#include "groups.h"
#include "loss.h"
#include "names.h"
#include "session.h"
#include "ui/plan.h"

#include <fmt/format.h>

namespace domsnap::cli {

static void show_plan(Session& session, const PlanView& plan) {
    if (session.json())
        session.print_document(ui::plan_json(plan));
    else
        session.print(ui::plan_text(plan));
}

static void snapshot_revert(Session& session, const Arguments& arguments) {
    RevertOptions options;
    options.running = arguments.has("running");
    options.paused = arguments.has("paused");
    options.force = arguments.has("force");
    options.reset_nvram = arguments.has("reset-nvram");
    options.dry_run = arguments.has("dry-run");
    options.eager = arguments.has("eager");
    options.mapped = arguments.has("mapped");
    options.tmpfs = arguments.has("tmpfs");
    options.new_process = arguments.has("new-process");
    options.save = arguments.get("save");
    const std::string name = snapshot_name(session, arguments);
    ask_before_loss(session, arguments, name);
    RevertResult result;
    explained("Failed to revert snapshot " + name, {name, arguments.get("domain")}, [&] {
        result = session.host().snapshot_revert(arguments.get("domain"), name, options, session.control());
    });
    if (options.dry_run) return show_plan(session, result.plan);
    if (!options.save.empty()) session.say(fmt::format("Domain snapshot {} created\n", options.save));
    session.say(fmt::format("Domain snapshot {} reverted\n", name));
    if (result.way != "offline") session.remark("way: " + result.way);
}

static void snapshot_delete(Session& session, const Arguments& arguments) {
    DeleteOptions options;
    options.children = arguments.has("children");
    options.children_only = arguments.has("children-only");
    options.metadata = arguments.has("metadata");
    options.dry_run = arguments.has("dry-run");
    const std::string name = snapshot_name(session, arguments);
    PlanView plan;
    explained("Failed to delete snapshot " + name, {name, arguments.get("domain")}, [&] {
        plan = session.host().snapshot_delete(arguments.get("domain"), name, options, session.control());
    });
    if (options.dry_run) return show_plan(session, plan);
    session.say(
        fmt::format("Domain snapshot {}{} deleted\n", name, options.children_only ? " children" : ""));
}

static std::string replace_record(Session& session, const Arguments& arguments, const std::string& name,
                                  EditedText& edited) {
    try {
        return session.host().snapshot_edit(arguments.get("domain"), name, edited.text(),
                                            arguments.has("rename"), arguments.has("clone"),
                                            session.control());
    } catch (const Error& error) {
        throw Error(error.code(), error.what(), fmt::format("your text is kept in {}", edited.keep()));
    }
}

static void snapshot_edit(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain"), name = snapshot_name(session, arguments);
    EditedText edited(session.host().snapshot_xml(domain, name, true));
    std::string now = name;
    if (edited.changed()) now = replace_record(session, arguments, name, edited);
    if (arguments.has("current") && arguments.has("snapshotname"))
        session.host().set_snapshot_current(domain, now, session.control());
    if (!edited.changed())
        session.say(fmt::format("Snapshot {} XML configuration not changed.\n", name));
    else if (now == name)
        session.say(fmt::format("Snapshot {} edited.\n", name));
    else
        session.say(
            fmt::format("Snapshot {} {} to {}.\n", name, arguments.has("clone") ? "cloned" : "renamed", now));
}

static void snapshot_current(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain");
    if (arguments.has("snapshotname")) {
        session.host().set_snapshot_current(domain, arguments.get("snapshotname"), session.control());
        return session.say(fmt::format("Snapshot {} set as current", arguments.get("snapshotname")));
    }
    const std::string name = snapshot_name(session, arguments);
    if (arguments.has("name")) return session.print(name);
    session.print(session.host().snapshot_xml(domain, name, arguments.has("security-info")));
}

static std::vector<Rule> revert_rules() {
    auto rules = snapshot_rules();
    rules.push_back(exclusive("save", "dry-run"));
    return rules;
}

static Verb revert_verb() {
    return {"snapshot-revert",
            "Revert a domain to a snapshot",
            "Revert domain to snapshot",
            {domain_argument(), snapshot_argument(), flag("current", "revert to current snapshot"),
             flag("running", "after reverting, change state to running"),
             flag("paused", "after reverting, change state to paused"),
             flag("force", "try harder on risky reverts; do not ask"), save_option(), yes_option(),
             flag("reset-nvram", "re-initialize NVRAM from its pristine template"),
             flag("dry-run", "print the plan, change nothing"),
             flag("eager", "load all memory before the guest runs"),
             flag("mapped", "map memory from its image, as forks do"),
             flag("tmpfs", "with --mapped: from a copy in the host's memory, which needs no image any more"),
             flag("new-process", "start another QEMU even where the running one could go back in place")},
            revert_rules(),
            snapshot_revert};
}

static Verb delete_verb() {
    return {"snapshot-delete",
            "Delete a domain snapshot",
            "Snapshot Delete",
            {domain_argument(), snapshot_argument(), flag("current", "delete current snapshot"),
             flag("children", "delete snapshot and all children"),
             flag("children-only", "delete children but not snapshot"),
             flag("metadata", "forget the snapshot, leave its contents behind"),
             flag("dry-run", "print the plan, change nothing")},
            snapshot_rules(),
            snapshot_delete};
}

std::vector<Verb> change_verbs() {
    return {
        {"snapshot-current",
         "Get or set the current snapshot",
         "Get or set the current snapshot",
         {domain_argument(), snapshot_argument("name of existing snapshot to make current"),
          flag("name", "list the name, rather than the full xml"),
          flag("security-info", "include security sensitive information in XML dump")},
         {exclusive("name", "snapshotname")},
         snapshot_current},
        delete_verb(),
        {"snapshot-edit",
         "edit XML for a snapshot",
         "Edit the domain snapshot XML for a named snapshot with $VISUAL or $EDITOR.",
         {domain_argument(), snapshot_argument(), flag("current", "also set edited snapshot as current"),
          flag("rename", "allow renaming an existing snapshot"), flag("clone", "allow cloning to new name")},
         {exclusive("rename", "clone"), snapshot_rules().back()},
         snapshot_edit},
        revert_verb(),
    };
}

} // namespace domsnap::cli
