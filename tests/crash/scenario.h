// What is struck: each verb that changes something, in its main kinds, in a world that is made for it.
#pragma once

#include "world.h"

#include <functional>
#include <string>
#include <vector>

namespace crash {

struct Scenario {
    std::string verb, kind;
    /// Makes the world in which it happens; no guest runs afterwards.
    std::function<void(World&, domsnap::Host&)> prepare;
    bool with_guest = false; ///< it runs while the verb does its work
    std::function<void(World&, domsnap::Host&, const domsnap::Control&)> run;
    /// What else is done before the verb, once the guest runs.
    std::function<void(World&, domsnap::Host&)> at_last = {};
    /// Of a verb that is two: makes the world between them, which may be what is left too.
    std::function<void(World&, domsnap::Host&)> half = {};
    bool forgets = false;  ///< the verb leaves files that nothing knows any more, because it was told to
    std::string says = {}; ///< unharmed it says so, or it is not the verb that is meant
    bool again = false;    ///< what a crash leaves undone, the same command does
    bool warm = false; ///< overlays lie ready: after a power failure snapshot-verify --repair removes them

    std::string name() const { return verb + (kind.empty() ? "" : " (" + kind + ")"); }
};

std::vector<Scenario> all_scenarios();
/// The domain of all scenarios.
inline constexpr const char* the_domain = "d";
/// Starts its guest, and writes to its memory.
void start_guest(const domsnap::Host& host);
/// As the guest, into its memory.
void write_memory(const domsnap::Host& host, uint64_t offset, const std::string& text);

} // namespace crash
