// What domsnap says and does about itself: snapshot-plan, snapshot-verify, recover, help.
#include "groups.h"
#include "help.h"
#include "session.h"
#include "ui/verdict.h"
#include "ui/width.h"

#include <algorithm>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::cli {

static void recover(Session& session, const Arguments& arguments) {
    const auto done = session.host().recover(arguments.get("domain"), session.control());
    for (const auto& line : done)
        session.print(ui::cell(line) + "\n");
    if (done.empty()) session.say("Nothing to recover\n");
}

static void verify(Session& session, const Arguments& arguments) {
    const auto domain = arguments.get("domain");
    const VerifyOptions options{.repair = arguments.has("repair"), .accept = arguments.has("accept")};
    const auto result =
        session.host().snapshot_verify(domain, arguments.get("snapshotname"), options, session.control());
    session.print_document(session.json() ? ui::verify_json(domain, result)
                                          : ui::verify_text(domain, result));
    if (result.good()) return;
    session.flush();
    const auto bad = std::count_if(result.verdicts.begin(), result.verdicts.end(),
                                   [](const auto& verdict) { return !verdict.good(); });
    throw Error(ErrorCode::corrupt,
                fmt::format("domain '{}': {} of {} are not good", domain, bad, result.verdicts.size()),
                "what --repair and --accept mend: domsnap help snapshot-verify");
}

static void help(Session& session, const Arguments& arguments) {
    if (!arguments.has("command")) return session.print_document(help_overview());
    const auto* verb = find_verb(arguments.get("command"));
    if (!verb)
        throw UsageError(fmt::format("command '{}' doesn't exist", arguments.get("command")),
                         "domsnap help shows the commands");
    session.print_document(help_of(*verb));
}

static void table(Session& session, const Arguments&) { session.print_document(combination_table()); }

std::vector<Verb> own_verbs() {
    return {
        {"table",
         "print what is captured for every combination",
         "The combinations of domain, memory, disks and --disk-only, with what is taken or why it is "
         "refused.",
         {},
         {},
         table},
        {"snapshot-plan",
         "print what a snapshot command would do",
         "snapshot-plan [create | create-as | revert | delete] args...: the same as that snapshot command "
         "with --dry-run; create is the default.",
         {domain_argument()},
         {},
         [](Session&, const Arguments&) {}}, // command_line.cpp turns it into one of the others
        {"snapshot-verify",
         "check snapshots and their files",
         "Records, chains, images, memory checksums, internal snapshots, and what is known of each file: "
         "every snapshot is good, or it is said what is wrong with it. Without a name the domain's own disks "
         "and left-over files too. Exit code 1 if anything is wrong. --repair never touches what a snapshot "
         "needs.",
         {domain_argument(), argument("snapshotname", "snapshot name; default: all"),
          flag("repair", "give back leaked clusters, remove files that nothing needs"),
          flag("accept", "what was changed behind domsnap's back is right: know it as it is now")},
         {},
         verify},
        {"recover",
         "finish or undo what a crash left half done",
         "Every other command does it first, for its own domain.",
         {argument("domain", "domain name, id or uuid; default: all")},
         {},
         recover},
        {"help",
         "print help",
         "Print the list of commands, or the help of one.",
         {argument("command", "the command")},
         {},
         help},
    };
}

} // namespace domsnap::cli
