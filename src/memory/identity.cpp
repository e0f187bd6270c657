#include "memory/identity.h"

#include <domsnap/error.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

// error_handler_t::replace: a file name or version in a foreign encoding must not cost the user the image.
std::string identity_to_json(const ImageIdentity& identity) {
    const json object{{"domain_uuid", identity.domain_uuid},   {"domain_hash", identity.domain_hash},
                      {"machine", identity.machine},           {"ram_size", identity.ram_size},
                      {"qemu_version", identity.qemu_version}, {"created", identity.created}};
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

ImageIdentity identity_from_json(std::string_view text) {
    try {
        const json object = json::parse(text);
        return {.domain_uuid = object.at("domain_uuid").get<std::string>(),
                .domain_hash = object.at("domain_hash").get<std::string>(),
                .machine = object.at("machine").get<std::string>(),
                .ram_size = object.at("ram_size").get<uint64_t>(),
                .qemu_version = object.at("qemu_version").get<std::string>(),
                .created = object.at("created").get<int64_t>()};
    } catch (const json::exception& e) {
        throw Error(ErrorCode::corrupt,
                    std::string("the identity of the memory image is not understood: ") + e.what());
    }
}

} // namespace domsnap::memory
