#include "xml/parser_error.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace domsnap::xml {

std::string words(const xmlError& error) {
    auto line = std::string(text::trim(error.message ? error.message : "unknown error"));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return text::printable(line);
}

void FirstError::note(const xmlError& error, int open_line) {
    if (!text_.empty() || error.level < XML_ERR_ERROR) return;
    auto message = words(error);
    static constexpr std::string_view unknown = " line 0";
    if (const auto at = message.find(unknown); at != std::string::npos)
        message.replace(at, unknown.size(), fmt::format(" line {}", open_line));
    text_ = fmt::format("{}:{}: {}", error.line, error.int2, message);
}

std::string FirstError::text() const { return text_.empty() ? "1: not well-formed" : text_; }

} // namespace domsnap::xml
