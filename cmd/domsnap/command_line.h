// argv -> what is to be done. The only place that knows CLI11.
#pragma once

#include "verb.h"

#include <domsnap/host.h>

#include <string>
#include <vector>

namespace domsnap::cli {

struct Globals {
    Folders folders;
    bool quiet = false, json = false, no_progress = false, help = false, version = false;
};

struct CommandLine {
    Globals globals;
    const Verb* verb = nullptr; ///< nullptr only with help or version
    Arguments arguments;
};

/// words: argv without the program's name. Throws UsageError. With --help nothing else is checked.
CommandLine parse_command_line(std::vector<std::string> words);

} // namespace domsnap::cli
