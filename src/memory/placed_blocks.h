// Where the blocks of RAM lie in a QEMU: it says so itself since 8.1, and of an older one its mappings tell.
// Does not know how QEMU is asked.
#pragma once

#include "memory/image.h"
#include "memory/ram_origin.h"
#include "os/foreign_memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::memory {

/// A block as QEMU lists it.
struct ListedBlock {
    std::string name;
    uint64_t length = 0;  ///< bytes that are in use, which a stream has
    uint64_t room = 0;    ///< bytes that it may grow to, which are mapped
    uint64_t address = 0; ///< 0 = QEMU does not say
};

struct PlacedBlock {
    std::string name;
    uint64_t length = 0, address = 0;
    bool operator==(const PlacedBlock&) const = default;
};

/// The blocks in the order of the whole image, of which the main one, at ram, is a private mapping (or of
/// that copy). Reads small blocks where their sizes leave it open which is which. Throws unsupported if the
/// main one is not, if the process has other blocks, or if one cannot be told from another.
std::vector<PlacedBlock> place_blocks(const os::ProcessId& process, const ImageReader& whole,
                                      const std::vector<ListedBlock>& listed, uint64_t ram,
                                      const std::optional<RamCopy>& copy);

} // namespace domsnap::memory
