#include "qmp/codec.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {

namespace {

// query-block nests once per image of a chain ("backing-image"), and libvirt, like us, allows chains of some
// hundreds. nlohmann's dump() recurses, so there must be a bound.
constexpr int max_depth = 1024;

Error not_qmp(std::string_view what, std::string_view line) {
    constexpr size_t shown = 80;
    return {ErrorCode::corrupt,
            fmt::format("the monitor sent something that is not QMP ({}): {}{}", what,
                        text::printable(line.substr(0, shown)), line.size() > shown ? "…" : ""),
            "Check that the socket belongs to a QEMU monitor in control mode."};
}

/// Counted before the parser runs: it would allocate for every bracket of a hostile line.
int depth_of(std::string_view line) {
    int depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (in_string && c == '\\')
            ++i;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            deepest = std::max(deepest, ++depth);
        else if (!in_string && (c == ']' || c == '}'))
            --depth;
    }
    return deepest;
}

std::string text_member(const Json& object, const char* key) {
    const auto member = object.find(key);
    return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

int64_t integer_member(const Json& object, const char* key) {
    const auto member = object.find(key);
    return member != object.end() && member->is_number_integer() ? member->get<int64_t>() : 0;
}

} // namespace

void LineFramer::feed(std::string_view bytes) {
    buffer_.append(bytes);
    if (buffer_.size() - start_ <= limit_) return;
    if (buffer_.find('\n', std::max(start_, scanned_)) != std::string::npos) return;
    throw Error(ErrorCode::corrupt,
                fmt::format("the monitor sent a message of more than {}", text::human_size(limit_)),
                "Check that the socket belongs to a QEMU monitor in control mode.");
}

std::optional<std::string> LineFramer::next() {
    for (;;) {
        const size_t end = buffer_.find('\n', std::max(start_, scanned_));
        if (end == std::string::npos) {
            buffer_.erase(0, start_);
            start_ = 0;
            scanned_ = buffer_.size();
            return std::nullopt;
        }
        std::string line(text::trim(std::string_view(buffer_).substr(start_, end - start_)));
        start_ = scanned_ = end + 1;
        if (!line.empty()) return line;
    }
}

Json decode(std::string_view line) {
    if (depth_of(line) > max_depth) throw not_qmp("nested too deep", line);
    Json message = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object()) throw not_qmp("no JSON object", line);
    return message;
}

MessageKind kind_of(const Json& message) {
    if (message.contains("event") && message["event"].is_string()) return MessageKind::event;
    if (message.contains("return")) return MessageKind::result;
    if (message.contains("error") && message["error"].is_object()) return MessageKind::failure;
    if (message.contains("QMP") && message["QMP"].is_object()) return MessageKind::greeting;
    throw not_qmp("neither greeting, answer nor event", encode(message));
}

std::optional<std::string> id_of(const Json& message) {
    const auto id = message.find("id");
    if (id == message.end() || !id->is_string()) return std::nullopt;
    return id->get<std::string>();
}

std::string version_of(const Json& greeting) {
    const Json::json_pointer where("/QMP/version/qemu");
    if (!greeting.contains(where) || !greeting[where].is_object())
        throw not_qmp("no version", encode(greeting));
    const Json& version = greeting[where];
    return fmt::format("{}.{}.{}", integer_member(version, "major"), integer_member(version, "minor"),
                       integer_member(version, "micro"));
}

bool offers_out_of_band(const Json& greeting) {
    const Json::json_pointer where("/QMP/capabilities");
    if (!greeting.contains(where) || !greeting[where].is_array()) return false;
    const Json& offered = greeting[where];
    return std::find(offered.begin(), offered.end(), Json("oob")) != offered.end();
}

Event to_event(const Json& message) {
    Event event{text_member(message, "event"), 0, "{}"};
    if (const auto stamp = message.find("timestamp"); stamp != message.end() && stamp->is_object()) {
        const auto seconds = static_cast<uint64_t>(integer_member(*stamp, "seconds"));
        const auto microseconds = static_cast<uint64_t>(integer_member(*stamp, "microseconds"));
        event.microseconds =
            static_cast<int64_t>(seconds * 1'000'000 + microseconds); // unsigned: hostile input wraps
    }
    if (const auto data = message.find("data"); data != message.end() && data->is_object())
        event.data = data->dump();
    return event;
}

std::string words_of(const Json& failure) {
    const Json& error = failure.at("error");
    const std::string words = text::printable(text_member(error, "desc"));
    const std::string kind = text::printable(text_member(error, "class"));
    if (kind.empty() || kind == "GenericError") return words;
    return fmt::format("{} ({})", words, kind);
}

std::string encode(const Json& message) {
    try {
        return message.dump() + "\n";
    } catch (const Json::exception&) {
        throw Error(ErrorCode::invalid_request,
                    "QMP can carry only UTF-8, and a name or path here is something else",
                    "Rename the file or object so that its name is valid UTF-8.");
    }
}

} // namespace domsnap::qmp
