#include "memory/ram_origin.h"

#include "base/text.h"
#include "os/file.h"

#include <domsnap/error.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

static RamOrigin origin_from(const json& object, const std::string& path) {
    if (object.at("version").get<int>() != 1)
        throw Error(ErrorCode::unsupported, fmt::format("{} was written by a newer domsnap", path));
    return {object.at("image").get<std::string>(), object.at("hash").get<std::string>(),
            object.at("mapped").get<bool>()};
}

std::optional<RamOrigin> read_ram_origin(const std::string& path) {
    const auto text = os::read_own_file(path, 64 << 10);
    if (!text) return std::nullopt;
    try {
        return origin_from(json::parse(*text), path);
    } catch (const json::exception& error) {
        throw Error(ErrorCode::corrupt,
                    fmt::format("{} cannot be read: {}", text::printable(path), error.what()));
    }
}

void write_ram_origin(const std::string& path, const RamOrigin& origin) {
    const json object{{"version", 1},
                      {"image", origin.image},
                      {"hash", origin.hash},
                      {"mapped", origin.mapped}};
    os::write_file(path, object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

} // namespace domsnap::memory
