// snapshot-warm.
#include "groups.h"
#include "loss.h"
#include "names.h"
#include "session.h"
#include "ui/plan.h"

#include <fmt/format.h>

namespace domsnap::cli {

/// Whether the guest would go over to another process first, and lose what it did.
static bool drops_guest(Session& session, const Arguments& arguments, const std::string& name,
                        WarmOptions options) {
    options.dry_run = true;
    return session.host()
               .snapshot_warm(arguments.get("domain"), name, options, session.control())
               .operation == "snapshot-revert";
}

static void warm(Session& session, const Arguments& arguments) {
    const WarmOptions options{.off = arguments.has("off"),
                              .dry_run = arguments.has("dry-run"),
                              .mapped = arguments.has("mapped"),
                              .tmpfs = arguments.has("tmpfs"),
                              .save = arguments.get("save")};
    const std::string name = options.off ? "" : snapshot_name(session, arguments);
    if ((options.mapped || options.tmpfs) && !options.dry_run &&
        drops_guest(session, arguments, name, options))
        ask_before_loss(session, arguments, name);
    const auto plan = session.host().snapshot_warm(arguments.get("domain"), name, options, session.control());
    if (options.dry_run)
        return session.json() ? session.print_document(ui::plan_json(plan))
                              : session.print(ui::plan_text(plan));
    if (plan.operation == "snapshot-revert") {
        if (!options.save.empty()) session.say(fmt::format("Domain snapshot {} created\n", options.save));
        session.say(fmt::format("Domain snapshot {} reverted\n", name));
    }
    session.say(options.off ? fmt::format("Nothing lies ready in domain {}\n", arguments.get("domain"))
                            : fmt::format("Domain snapshot {} is warm\n", name));
}

static std::vector<Rule> rules() {
    return {exclusive_short("snapshotname", "current"),
            exclusive("off", "snapshotname"),
            exclusive("off", "current"),
            exclusive("off", "mapped"),
            exclusive("off", "tmpfs"),
            exclusive("save", "dry-run"),
            {{"save", "!mapped", "!tmpfs"}, "--save needs --mapped or --tmpfs: nothing is lost without them"},
            {{"!snapshotname", "!current", "!off"}, "--snapshotname, --current or --off is required"}};
}

std::vector<Verb> warm_verbs() {
    return {{"snapshot-warm",
             "make going back to a snapshot ready",
             "Makes ready in the running QEMU what going back to the snapshot in place begins with: fresh "
             "overlays and "
             "the device state lie open. One snapshot of a domain is warm at a time; each revert to it makes "
             "the next "
             "one ready. It ends with --off, with the domain, or when a snapshot of the domain is deleted. "
             "With --mapped the "
             "guest's RAM is mapped from the snapshot's image: going back then costs what the guest changed, "
             "whatever "
             "its RAM. With --tmpfs it is mapped from a copy of that in the host's memory: no page waits for a "
             "disk, and the image may be deleted.",
             {domain_argument(), snapshot_argument(), flag("current", "the current snapshot"),
              flag("off", "take away what lies ready"),
              flag("mapped", "go over to a process with memory mapped from the snapshot's image first"),
              flag("tmpfs", "the same with a copy of it in the host's memory, which needs no image any more"),
              save_option(), flag("force", "do not ask"), yes_option(),
              flag("dry-run", "print the plan, change nothing")},
             rules(),
             warm}};
}

} // namespace domsnap::cli
