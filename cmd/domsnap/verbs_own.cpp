// What domsnap says and does about itself: snapshot-plan, recover, help.
#include "groups.h"
#include "help.h"
#include "session.h"
#include "ui/width.h"

#include <fmt/format.h>

namespace domsnap::cli {

static void recover(Session& session, const Arguments& arguments) {
    const auto done = session.host().recover(arguments.get("domain"), session.control());
    for (const auto& line : done)
        session.print(ui::cell(line) + "\n");
    if (done.empty()) session.say("Nothing to recover\n");
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
