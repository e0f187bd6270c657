// What a revert would drop, asked about on the terminal before it is lost; and the options about it.
#pragma once

#include "session.h"
#include "verb.h"

#include <string>

namespace domsnap::cli {

Option save_option();
Option yes_option();

/// Returns if it may be dropped. Not asked with --yes, --force, --save and --dry-run, nor where stdin is no
/// terminal, as in scripts. Throws cancelled.
void ask_before_loss(Session& session, const Arguments& arguments, const std::string& snapshot);

} // namespace domsnap::cli
