// What makes new domains out of snapshots: snapshot-fork.
#include "groups.h"
#include "names.h"
#include "session.h"
#include "ui/plan.h"

#include <charconv>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::cli {

static unsigned count_of(const Arguments& arguments) {
    const std::string text = arguments.get("count");
    unsigned count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc() && end == text.data() + text.size()) return count;
    throw UsageError(fmt::format("Numeric value '{}' for <count> option is malformed or out of range", text));
}

static void show(Session& session, const ForkResult& result) {
    for (const auto& plan : result.plans) {
        if (session.json())
            session.print_document(ui::plan_json(plan));
        else
            session.print(ui::plan_text(plan));
    }
}

static void snapshot_fork(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain"), name = arguments.get("snapshotname");
    ForkOptions options;
    options.start = arguments.has("start");
    options.paused = arguments.has("paused");
    options.dry_run = arguments.has("dry-run");
    if (arguments.has("count")) options.count = count_of(arguments);
    ForkResult result;
    explained("Failed to fork snapshot " + name, {name, domain, arguments.get("newname")}, [&] {
        result =
            session.host().snapshot_fork(domain, name, arguments.get("newname"), options, session.control());
    });
    if (options.dry_run) return show(session, result);
    for (const auto& made : result.names)
        session.say(fmt::format("Domain '{}' forked from snapshot {}{}\n", made, name,
                                options.start ? " and started" : ""));
}

std::vector<Verb> fork_verbs() {
    return {
        {"snapshot-fork",
         "make a new domain out of a snapshot",
         "A new domain that begins where the snapshot ended: fresh overlays on its disks, its memory mapped "
         "from "
         "the same image. Without --start its first start goes on from there.",
         {domain_argument(), required("snapshotname", "snapshot name"),
          required("newname", "name of the new domain"), flag("start", "start it at once"),
          flag("paused", "with --start: leave the guest paused"),
          value("count", "make so many: NEWNAME-1, NEWNAME-2, ..."),
          flag("dry-run", "print the plan, change nothing")},
         {},
         snapshot_fork},
    };
}

} // namespace domsnap::cli
