// One memory image by itself: its metadata, read and verified to the last byte, without what it rests on.
// Pages are ImageReader's business.
#pragma once

#include "memory/image.h"
#include "memory/image_damage.h"
#include "memory/image_link.h"

#include <cstdint>
#include <string>
#include <vector>

namespace domsnap::memory {

struct SingleImage {
    ImageFile file;
    ImageLink link;
    ImageIdentity identity;
    std::vector<RamBlock> blocks;
    std::string stream_header, device_state, vm_description;
    uint32_t ram_section_id = 0;
    std::vector<PageState> states;   ///< of all blocks' pages, in order; as_parent only if there is one
    std::vector<uint64_t> checksums; ///< of every page; 0 for one that is not data
};

/// Errors: as ImageReader::open.
SingleImage read_single_image(const std::string& path);

} // namespace domsnap::memory
