// Writes a memory image as its pages come, in the order that docs/formats/memory-image.md promises. Does not
// know where the pages come from.
#pragma once

#include "memory/image_format.h"
#include "memory/parent_pages.h"
#include "os/bulk.h"
#include "os/fd.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace domsnap::memory {

class ImageWriter {
  public:
    struct Counts {
        uint64_t data_pages = 0, zero_pages = 0; ///< in the image
        uint64_t parent_pages = 0;               ///< the parent's
        uint64_t repeated_pages = 0;             ///< sent once more
    };
    /// What the image holds besides RAM.
    struct Parts {
        std::string_view stream_header, device_state, vm_description;
        ImageIdentity identity; ///< ram_size is set by the writer: it has seen the main block
        std::vector<uint64_t> names_of_before = {};
    };

    /// file: open for writing; what it holds is discarded by begin(). parent: whose pages are not stored once
    /// more; null: a whole image. All outlive the writer.
    ImageWriter(const os::Fd& file, std::string path, const ImageReader* parent = nullptr);

    /// Every call below throws io; a full disk is told with what is free and what may still be needed.
    void begin(uint32_t ram_section_id, const std::vector<StreamBlock>& blocks);
    /// The pages' data are not needed after the call. The last page of an address counts.
    void put(std::span<const PageRecord> pages);
    /// The page is known to be the parent's, which has these blocks.
    void put_as_parent(size_t block, uint64_t page);
    /// Whether the parent can be rested on; after begin(). Not one whose blocks of RAM are others.
    bool has_parent() const { return parent_pages_.has_value(); }
    /// Makes all durable, then writes the trailer and makes that durable. Blocks as long as the disk takes.
    void finish(const Parts& parts);

    Counts counts() const;
    uint64_t total_bytes() const { return states_.size() * page_size; } ///< of RAM
    uint64_t seen_bytes() const { return seen_ * page_size; }           ///< of RAM, each page once

  private:
    void put_data(const PageRecord& page, uint64_t index, uint64_t offset);
    void put_hole(uint64_t index, uint64_t offset, PageState state);
    struct Tables;
    Tables tables(const Parts& parts) const;
    void finish_file(std::vector<os::Piece> pieces, const std::vector<Section>& sections, uint64_t end);
    void flush_run();
    void write(std::span<const os::Piece> pieces, uint64_t offset);
    void write(std::string_view bytes, uint64_t offset);
    void write_back_now_and_then(uint64_t written);
    uint64_t main_ram_size() const;

    const os::Fd& file_;
    std::string path_;
    const ImageReader* parent_;
    std::optional<ParentPages> parent_pages_;
    uint32_t ram_section_id_ = 0;
    std::vector<RamBlock> blocks_;
    std::vector<uint64_t> first_page_; ///< of each block, in the two tables
    std::vector<PageState> states_;
    std::vector<uint64_t> checksums_;
    uint64_t mark_offset_ = 0, seen_ = 0, repeated_ = 0, written_ = 0, not_written_back_ = 0;
    std::vector<os::Piece> run_; ///< pages that lie one behind the other in the file
    uint64_t run_offset_ = 0, run_end_ = 0;
};

} // namespace domsnap::memory
