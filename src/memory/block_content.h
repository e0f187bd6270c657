// What a block of RAM gets instead of what the image holds of it. Private to those who send images to QEMU.
#pragma once

#include "memory/image.h"

#include <string>

namespace domsnap::memory {

struct BlockContent {
    std::string block, bytes;
};
/// The same, still in its file; block "" = there is none.
struct BlockFile {
    std::string block, file;
};

/// Throws conflict unless it is as large as the image's block.
void require_same_size(const ImageReader& image, size_t block, const BlockContent& content);

} // namespace domsnap::memory
