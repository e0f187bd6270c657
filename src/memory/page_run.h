// Walks an image by runs of pages in one state and one file: what a restore sends and a verification reads at
// once.
#pragma once

#include "memory/image.h"

namespace domsnap::memory {

struct PageRun {
    PageState state = PageState::absent;
    uint64_t count = 0; ///< 1 at least
};

/// The number of the block that lies first in the file.
size_t main_block(const ImageReader& image);

/// The run that begins at page `first` of the block, at most `longest` pages of it. first < the block's
/// pages.
PageRun run_at(const ImageReader& image, size_t block, uint64_t first, uint64_t longest);

} // namespace domsnap::memory
