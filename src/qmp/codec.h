// QMP's bytes and JSON texts: one message a line, bounded in size and depth, and what kind of message it is.
// Knows no sockets and no commands, so that it can be fuzzed by itself.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap::qmp {

using Json = nlohmann::json;

struct Event {
    std::string name;     ///< "STOP", "RESUME", "JOB_STATUS_CHANGE", …
    int64_t microseconds; ///< QEMU's own time stamp, since the epoch
    std::string data;     ///< the "data" object as JSON text; "{}" if there is none
};

/// Cuts a stream into lines, however it comes in pieces.
class LineFramer {
  public:
    /// 64 MiB: query-qmp-schema is 0.25 MB, query-named-block-nodes of a thousand nodes about 1 MB.
    static constexpr size_t default_limit = size_t{64} << 20;

    explicit LineFramer(size_t limit = default_limit) : limit_(limit) {}
    /// Throws corrupt when a line grows beyond the limit.
    void feed(std::string_view bytes);
    /// The next whole line that is not blank, without its line end.
    std::optional<std::string> next();

  private:
    size_t limit_;
    std::string buffer_;
    size_t start_ = 0;   ///< where the first line that was not handed out begins
    size_t scanned_ = 0; ///< no line end between start_ and here
};

enum class MessageKind { greeting, result, failure, event };

/// One line as a JSON object. Throws corrupt for what is no JSON object or is nested more than 1,024 deep.
Json decode(std::string_view line);
/// Throws corrupt for an object that is none of the four.
MessageKind kind_of(const Json& message);
/// The "id" if it is a string, else nothing.
std::optional<std::string> id_of(const Json& message);
/// Of a greeting: "7.2.22"; and whether it offers out-of-band commands. Throws corrupt if there is no
/// version.
std::string version_of(const Json& greeting);
bool offers_out_of_band(const Json& greeting);
Event to_event(const Json& message);
/// Of a failure: QEMU's words, with the class where it says more than "GenericError".
std::string words_of(const Json& failure);
/// A message as a line to send. Throws invalid_request if a text in it is not UTF-8.
std::string encode(const Json& message);

} // namespace domsnap::qmp
