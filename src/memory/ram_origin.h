// Which memory image the RAM of a running guest came from, and whether it is still a mapping of it: noted in the
// domain's run-time folder, for those who want to know what of it changed, and for those who would remove or
// rewrite the image. Format: docs/formats/ram-origin.md.
#pragma once

#include <optional>
#include <string>

namespace domsnap::memory {

struct RamOrigin {
    std::string image; ///< path
    std::string hash;  ///< the image's, 16 hexadecimal digits
    bool mapped = false;
    bool operator==(const RamOrigin&) const = default;
};

/// Nothing if there is no such file; an Error (corrupt, unsupported) for one that cannot be read. Means nothing
/// without the QEMU of that folder.
std::optional<RamOrigin> read_ram_origin(const std::string& path);
void write_ram_origin(const std::string& path, const RamOrigin& origin);

} // namespace domsnap::memory
