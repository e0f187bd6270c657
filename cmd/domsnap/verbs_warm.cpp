// snapshot-warm.
#include "groups.h"
#include "names.h"
#include "session.h"
#include "ui/plan.h"

#include <fmt/format.h>

namespace domsnap::cli {

static void warm(Session& session, const Arguments& arguments) {
    const WarmOptions options{.off = arguments.has("off"), .dry_run = arguments.has("dry-run")};
    const std::string name = options.off ? "" : snapshot_name(session, arguments);
    const auto plan = session.host().snapshot_warm(arguments.get("domain"), name, options, session.control());
    if (options.dry_run)
        return session.json() ? session.print_document(ui::plan_json(plan))
                              : session.print(ui::plan_text(plan));
    session.say(options.off ? fmt::format("Nothing lies ready in domain {}\n", arguments.get("domain"))
                            : fmt::format("Domain snapshot {} is warm\n", name));
}

static std::vector<Rule> rules() {
    return {exclusive_short("snapshotname", "current"),
            exclusive("off", "snapshotname"),
            exclusive("off", "current"),
            {{"!snapshotname", "!current", "!off"}, "--snapshotname, --current or --off is required"}};
}

std::vector<Verb> warm_verbs() {
    return {{"snapshot-warm",
             "make going back to a snapshot ready",
             "Makes ready in the running QEMU what going back to the snapshot in place begins with: fresh "
             "overlays and "
             "the device state lie open. One snapshot of a domain is warm at a time; each revert to it makes "
             "the next "
             "one ready. It ends with --off, with the domain, or when a snapshot of the domain is deleted.",
             {domain_argument(), snapshot_argument(), flag("current", "the current snapshot"),
              flag("off", "take away what lies ready"), flag("dry-run", "print the plan, change nothing")},
             rules(),
             warm}};
}

} // namespace domsnap::cli
