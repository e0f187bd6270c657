#include "memory/ram_origin.h"

#include "memory/status_file.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

static std::optional<RamCopy> copy_in(const json& object) {
    const auto copy = object.find("copy");
    if (copy == object.end()) return std::nullopt;
    return RamCopy{copy->at("hash"), copy->at("device"), copy->at("inode")};
}

std::optional<RamOrigin> read_ram_origin(const std::string& path) {
    std::optional<RamOrigin> origin;
    read_status_file(path, [&](const json& object) {
        origin = RamOrigin{object.at("image").get<std::string>(), object.at("hash").get<std::string>(),
                           object.at("mapped").get<bool>(), copy_in(object)};
    });
    return origin;
}

void write_ram_origin(const std::string& path, const RamOrigin& origin) {
    json object{{"image", origin.image}, {"hash", origin.hash}, {"mapped", origin.mapped}};
    if (const auto& copy = origin.copy)
        object["copy"] = {{"hash", copy->hash}, {"device", copy->device}, {"inode", copy->inode}};
    write_status_file(path, object);
}

} // namespace domsnap::memory
