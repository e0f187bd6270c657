#include "log.h"

#include "base/text.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

namespace domsnap::server {

static const char* word_for(rpc::Level level) {
    switch (level) {
    case rpc::Level::error:
        return "error: ";
    case rpc::Level::warning:
        return "warning: ";
    default:
        return "";
    }
}

// systemd sets $JOURNAL_STREAM where stderr is the journal, which takes "<N>" for the priority
// (sd-daemon(3)).
Log::Log(bool verbose) : verbose_(verbose), journal_(std::getenv("JOURNAL_STREAM") != nullptr) {}

void Log::operator()(rpc::Level level, const std::string& line) const {
    if (level == rpc::Level::debug && !verbose_) return;
    const auto prefix = journal_ ? fmt::format("<{}>", static_cast<int>(level)) : word_for(level);
    const auto text = fmt::format("{}{}\n", prefix, text::printable(line));
    std::fwrite(text.data(), 1, text.size(), stderr); // one call, one line: stderr is not buffered
}

} // namespace domsnap::server
