// The part of QEMU's command line that the fake acts on. Options that it does not know are ignored, as far as
// it can tell whether a value follows them.
#pragma once

#include "refusal.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fake {

using Properties = std::map<std::string, std::string>;

struct Options {
    std::string name, uuid = "00000000-0000-0000-0000-000000000000", machine = "pc", pid_file, incoming;
    std::string ram_id = "pc.ram";
    std::string ram_file; ///< that RAM is a private mapping of
    uint64_t ram_bytes = uint64_t{128} << 20;
    bool paused = false; ///< -S
    bool show_version = false;
    std::vector<Json> blockdevs, devices;       ///< as JSON objects, in order
    std::map<std::string, Properties> chardevs; ///< by id; "backend" is the first word
    std::vector<std::string> monitors;          ///< ids of chardevs, mode=control only
};

/// Throws Refusal with what QEMU would print.
Options parse_options(const std::vector<std::string>& arguments);

} // namespace fake
