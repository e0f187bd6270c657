// How long a client may be silent that said it would answer.
#pragma once

#include <chrono>

namespace domsnap::server {

struct Patience {
    unsigned interval =
        5; ///< seconds of silence before each question; 0: never asked. libvirt's keepalive_interval
    unsigned count = 5; ///< questions that may stay unanswered; libvirt's keepalive_count
    unsigned seconds() const { return interval * (count + 1); }
};

} // namespace domsnap::server
