// Which memory image the RAM of a running guest came from, and whether it is still a mapping of it: noted in
// the domain's run-time folder, for those who want to know what of it changed, and for those who would remove
// or rewrite the image. Format: docs/formats/ram-origin.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace domsnap::memory {

/// The copy of a whole image in the host's memory (memory/ram_copy.h), in whose place it is mapped.
struct RamCopy {
    std::string hash;               ///< of the image that was copied, 16 hexadecimal digits
    uint64_t device = 0, inode = 0; ///< as /proc shows its mapping
    bool operator==(const RamCopy&) const = default;
};

struct RamOrigin {
    std::string image; ///< path
    std::string hash;  ///< the image's, 16 hexadecimal digits
    bool mapped = false;
    std::optional<RamCopy> copy = {}; ///< of a mapped one; nothing: the image's own file is mapped
    bool operator==(const RamOrigin&) const = default;
};

/// Nothing if there is no such file; an Error (corrupt, unsupported) for one that cannot be read. Means
/// nothing without the QEMU of that folder.
std::optional<RamOrigin> read_ram_origin(const std::string& path);
void write_ram_origin(const std::string& path, const RamOrigin& origin);

} // namespace domsnap::memory
