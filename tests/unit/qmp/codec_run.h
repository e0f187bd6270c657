// What the fuzzer does with its input, so that its corpus can be replayed as a unit test.
#pragma once

#include "qmp/codec.h"
#include <cstdlib>
#include <domsnap/error.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {

inline void look_at(const Json& message) {
    id_of(message);
    switch (kind_of(message)) {
    case MessageKind::greeting:
        offers_out_of_band(message);
        version_of(message);
        break;
    case MessageKind::failure:
        words_of(message);
        break;
    case MessageKind::event: {
        // What is kept of an event must be JSON again: others parse it.
        if (!Json::accept(to_event(message).data)) std::abort();
        break;
    }
    case MessageKind::result:
        break;
    }
    // What was read can be written, and means the same then.
    std::string line = encode(message);
    line.pop_back();
    if (decode(line) != message) std::abort();
}

/// Bytes as a monitor would send them, in two pieces: every line is a message or is refused with an Error.
inline void run_codec(std::string_view bytes) {
    LineFramer framer(64 << 10);
    try {
        framer.feed(bytes.substr(0, bytes.size() / 2));
        framer.feed(bytes.substr(bytes.size() / 2));
    } catch (const Error&) {
    }
    while (const auto line = framer.next()) {
        try {
            look_at(decode(*line));
        } catch (const Error&) {
        }
    }
}

} // namespace domsnap::qmp
