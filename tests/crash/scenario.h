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
    bool forgets = false; ///< the verb leaves files that nothing knows any more, because it was told to

    std::string name() const { return verb + (kind.empty() ? "" : " (" + kind + ")"); }
};

std::vector<Scenario> all_scenarios();
/// The domain of all scenarios.
inline constexpr const char* the_domain = "d";
/// Starts its guest, and writes to its memory.
void start_guest(const domsnap::Host& host);

} // namespace crash
