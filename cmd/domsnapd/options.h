// domsnapd's command line.
#pragma once

#include "patience.h"

#include <domsnap/host.h>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::server {

struct Options {
    Folders folders;
    std::string socket_dir;             ///< "" = the run-time folder
    std::string group, read_only_group; ///< "" = root and the server's own user only
    std::optional<unsigned> timeout;    ///< seconds without a client, after which the server ends
    Patience patience;
    bool verbose = false;
};

/// Nothing if the words asked for help or the version, which was printed. Throws Error for words that are
/// wrong.
std::optional<Options> parse_options(std::vector<std::string> words);

} // namespace domsnap::server
