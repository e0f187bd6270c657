#include "base/error.h"

namespace domsnap {

const char* to_string(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid_request:
        return "invalid-request";
    case ErrorCode::not_found:
        return "not-found";
    case ErrorCode::conflict:
        return "conflict";
    case ErrorCode::busy:
        return "busy";
    case ErrorCode::unsupported:
        return "unsupported";
    case ErrorCode::refused_by_qemu:
        return "refused-by-qemu";
    case ErrorCode::io:
        return "io";
    case ErrorCode::corrupt:
        return "corrupt";
    case ErrorCode::cancelled:
        return "cancelled";
    case ErrorCode::timed_out:
        return "timed-out";
    case ErrorCode::outcome_unknown:
        return "outcome-unknown";
    }
    return "unknown";
}

} // namespace domsnap
