// UUIDs as libvirt writes them: 36 characters, lower case.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap {

using UuidBytes = std::array<uint8_t, 16>;

/// Accepts what libvirt accepts: 32 hexadecimal digits with '-' anywhere between them. Nothing otherwise.
std::optional<std::string> canonical_uuid(std::string_view text);
/// A version 4 UUID from 16 bytes that the caller drew at random.
std::string uuid_from_random(UuidBytes random);

} // namespace domsnap
