// The one exception of domsnap. It is thrown by every public function and caught in three places only: around
// a step of a plan, in the command line's main, and in a server's dispatch.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace domsnap {

/// What the caller can do about it.
enum class ErrorCode {
    invalid_request, ///< the input is wrong: correct it
    not_found,       ///< no such domain, snapshot or file
    conflict,        ///< the world is in another state than the request needs
    busy,            ///< somebody else is at work here: try again
    unsupported,     ///< this build, this QEMU or this host cannot do it
    refused_by_qemu, ///< QEMU or qemu-img said no; its own words are in the message
    io,              ///< the operating system said no
    corrupt,         ///< a file is damaged, or not what its name promises
    cancelled,       ///< the user asked to stop; nothing was changed
    timed_out,       ///< a deadline passed; nothing was changed
    outcome_unknown, ///< a deadline passed in the midst of an effect: recovery will find out
};

/// The code as a stable word: "invalid-request", "not-found", …
const char* to_string(ErrorCode code);

class Error : public std::runtime_error {
  public:
    Error(ErrorCode code, const std::string& message, std::string hint = {})
        : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

    ErrorCode code() const { return code_; }
    /// What to do, in the user's words; empty where there is nothing to say.
    const std::string& hint() const { return hint_; }

  private:
    ErrorCode code_;
    std::string hint_;
};

} // namespace domsnap
