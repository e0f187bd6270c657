#include "base/uuid.h"

#include <fmt/format.h>

namespace domsnap {

static std::string format_uuid(std::string_view hex32) {
    return fmt::format("{}-{}-{}-{}-{}", hex32.substr(0, 8), hex32.substr(8, 4), hex32.substr(12, 4),
                       hex32.substr(16, 4), hex32.substr(20));
}

std::optional<std::string> canonical_uuid(std::string_view text) {
    std::string hex;
    for (const char c : text) {
        if (c == '-') continue;
        if (c >= '0' && c <= '9')
            hex += c;
        else if (c >= 'a' && c <= 'f')
            hex += c;
        else if (c >= 'A' && c <= 'F')
            hex += static_cast<char>(c + 32);
        else
            return std::nullopt;
    }
    if (hex.size() != 32) return std::nullopt;
    return format_uuid(hex);
}

std::string uuid_from_random(UuidBytes random) {
    random[6] = static_cast<uint8_t>((random[6] & 0x0f) | 0x40);
    random[8] = static_cast<uint8_t>((random[8] & 0x3f) | 0x80);
    std::string hex;
    for (const uint8_t byte : random)
        hex += fmt::format("{:02x}", byte);
    return format_uuid(hex);
}

} // namespace domsnap
