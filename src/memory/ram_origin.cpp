#include "memory/ram_origin.h"

#include "memory/status_file.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

std::optional<RamOrigin> read_ram_origin(const std::string& path) {
    std::optional<RamOrigin> origin;
    read_status_file(path, [&](const json& object) {
        origin = RamOrigin{object.at("image").get<std::string>(), object.at("hash").get<std::string>(),
                           object.at("mapped").get<bool>()};
    });
    return origin;
}

void write_ram_origin(const std::string& path, const RamOrigin& origin) {
    write_status_file(path, {{"image", origin.image}, {"hash", origin.hash}, {"mapped", origin.mapped}});
}

} // namespace domsnap::memory
