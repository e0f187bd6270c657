// The words that the guest understands on a port, and its one-line JSON answers. README.md lists them.
#pragma once

#include "disks.h"
#include "port.h"
#include "ram.h"

#include <string>

namespace guest {

/// All that the commands act on.
struct World {
    Ram ram;
    Disks disks;
    uint64_t boot = 0, tick = 0;
    int64_t longest_gap_ms = 0;
    bool obey_power_button = true;
    Breathe breathe;
};

/// Runs one line and says the answer on the port: `{...}`, or `#ID {...}` if the line began with `#ID `.
void run_command(World& world, Port& port, const std::string& line);

/// Ends the machine; does not come back.
void power(int how);

} // namespace guest
