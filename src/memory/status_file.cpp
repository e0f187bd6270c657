#include "memory/status_file.h"

#include "base/text.h"
#include "os/file.h"

#include <domsnap/error.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

bool read_status_file(const std::string& path, const std::function<void(const json&)>& take) {
    const auto text = os::read_own_file(path, 64 << 10);
    if (!text) return false;
    try {
        const auto document = json::parse(*text);
        if (document.at("version").get<int>() != 1)
            throw Error(ErrorCode::unsupported, fmt::format("{} was written by a newer domsnap", path));
        take(document);
        return true;
    } catch (const json::exception& error) {
        throw Error(ErrorCode::corrupt,
                    fmt::format("{} cannot be read: {}", text::printable(path), error.what()));
    }
}

void write_status_file(const std::string& path, json document) {
    document["version"] = 1;
    // A file name in a foreign encoding must not cost the user the rest.
    os::write_file(path, document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

} // namespace domsnap::memory
