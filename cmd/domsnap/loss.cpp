#include "loss.h"

#include "terminal.h"
#include "ui/width.h"

#include <fmt/format.h>

namespace domsnap::cli {

Option save_option() { return value("save", "first take a snapshot of that name of what would be lost"); }

Option yes_option() { return flag("yes", "do not ask whether what was not saved may be lost"); }

void ask_before_loss(Session& session, const Arguments& arguments, const std::string& snapshot) {
    for (const char* option : {"force", "yes", "save", "dry-run"})
        if (arguments.has(option)) return;
    if (!stdin_is_terminal()) return;
    const auto lost = session.host().unsaved_changes(arguments.get("domain"));
    if (lost.empty()) return;
    const auto question = fmt::format("Reverting domain '{}' to snapshot '{}' drops {}. Go on? [y/N] ",
                                      ui::cell(arguments.get("domain")), ui::cell(snapshot), ui::cell(lost));
    if (confirmed_on_terminal(question)) return;
    throw Error(ErrorCode::cancelled, fmt::format("nothing was reverted: {} would be lost", lost),
                "--save NAME takes a snapshot of it first; --yes skips the question");
}

} // namespace domsnap::cli
