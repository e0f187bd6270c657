#include "memory/capture_report.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

static constexpr size_t longest_words = 1200;

static std::string line_of(const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

static json to_json(const CaptureResult& result, size_t longest) {
    return {
        {"complete", result.complete},           {"error", result.error.substr(0, longest)},
        {"code", static_cast<int>(result.code)}, {"hint", result.hint.substr(0, longest)},
        {"stream_bytes", result.stream_bytes},   {"data_pages", result.data_pages},
        {"zero_pages", result.zero_pages},       {"repeated_pages", result.repeated_pages},
        {"parent_pages", result.parent_pages},   {"whole_because", result.whole_because.substr(0, longest)}};
}

std::string to_line(const CaptureReport& report) {
    if (const auto progress = std::get_if<CaptureProgress>(&report))
        return line_of({{"done", progress->done}, {"total", progress->total}});
    std::string line;
    for (size_t longest = longest_words; line.empty() || line.size() > 4096; longest /= 2)
        line = line_of(to_json(std::get<CaptureResult>(report), longest));
    return line;
}

static CaptureResult result_from(const json& object) {
    const int code = object.at("code").get<int>();
    return {.complete = object.at("complete").get<bool>(),
            .error = object.at("error").get<std::string>(),
            .code = code == static_cast<int>(ErrorCode::corrupt)       ? ErrorCode::corrupt
                    : code == static_cast<int>(ErrorCode::unsupported) ? ErrorCode::unsupported
                                                                       : ErrorCode::io,
            .hint = object.at("hint").get<std::string>(),
            .whole_because = object.at("whole_because").get<std::string>(),
            .stream_bytes = object.at("stream_bytes").get<uint64_t>(),
            .data_pages = object.at("data_pages").get<uint64_t>(),
            .zero_pages = object.at("zero_pages").get<uint64_t>(),
            .repeated_pages = object.at("repeated_pages").get<uint64_t>(),
            .parent_pages = object.at("parent_pages").get<uint64_t>()};
}

std::optional<CaptureReport> report_from_line(std::string_view line) {
    try {
        const json object = json::parse(line);
        if (object.contains("complete")) return result_from(object);
        return CaptureProgress{object.at("done").get<uint64_t>(), object.at("total").get<uint64_t>()};
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

} // namespace domsnap::memory
