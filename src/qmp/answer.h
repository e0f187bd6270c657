// Reading QEMU's answers: a member that is missing or of another type is an Error that names the command, not
// JSON's. Private to this room; include it in .cpp files only.
#pragma once

#include "base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {

/// What read() returns; it may take members for granted.
template <class Read>
auto read_answer(const char* command, Read read) {
    try {
        return read();
    } catch (const nlohmann::json::exception& error) {
        throw Error(ErrorCode::unsupported,
                    fmt::format("QEMU's answer to '{}' is not what domsnap knows: {}", command, error.what()),
                    "This QEMU may be newer than this domsnap.");
    }
}

} // namespace domsnap::qmp
