// Whether the parent of an image that is being written holds a page already, byte for byte. Reads ahead in
// the parent, since pages come mostly in order. Does not know what is written.
#pragma once

#include "memory/image.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace domsnap::memory {

class ParentPages {
  public:
    explicit ParentPages(const ImageReader& parent) : parent_(parent) {}

    /// sum: the page's checksum. Never throws: what cannot be read, or is damaged, is not held.
    bool holds(size_t block, uint64_t page, const uint8_t* data, uint64_t sum);

  private:
    bool is_in_window(size_t block, uint64_t page) const;
    bool read_window(size_t block, uint64_t page);

    const ImageReader& parent_;
    std::vector<uint8_t> window_;
    size_t block_ = 0;
    uint64_t first_ = 0, count_ = 0; ///< pages in the window
};

} // namespace domsnap::memory
