// The memory image: one file that holds a guest's RAM page for page, its device state and checksums.
// Format: docs/formats/memory-image.md. Does not know QMP, disks or snapshots.
#pragma once

#include "memory/image_link.h"
#include "os/fd.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::memory {

inline constexpr uint64_t page_size = 4096;

/// What a reader compares before a guest is touched; written by the capture as one JSON section.
struct ImageIdentity {
    std::string domain_uuid;
    std::string domain_hash; ///< of the domain XML at the capture
    std::string machine;     ///< versioned machine type
    uint64_t ram_size = 0;   ///< bytes of the main block
    std::string qemu_version;
    int64_t created = 0; ///< epoch seconds
};

/// absent: never sent; reads as zero. as_parent: only in one file by itself; a reader has resolved it.
enum class PageState : uint8_t { absent = 0, zero = 1, data = 2, as_parent = 3 };

struct RamBlock {
    std::string name;    ///< "pc.ram" is the main block, stored at offset 0
    uint64_t length = 0; ///< bytes
    uint64_t offset = 0; ///< in the file
};

/// One file of a chain: the image itself is layer 0, its parent 1, and so on; the last is whole.
struct ImageLayer {
    std::string path;
    uint64_t hash = 0;
};

/// An image and all that it rests on, read as one: each page was resolved to the file that holds it when the
/// image was opened. Pages lie at block.offset + page * page_size in every file of the chain.
class ImageReader {
  public:
    /// Reads and verifies the trailer and all metadata (not the pages), of the whole chain. Errors:
    /// not_found, io, corrupt (not a memory image | torn: the capture did not finish | truncated | altered:
    /// which part's checksum), unsupported ("written by a newer domsnap"); all of a parent too, which is
    /// named.
    static ImageReader open(const std::string& path);
    ImageReader(ImageReader&&) noexcept;
    ~ImageReader();

    const std::string& path() const;
    const ImageIdentity& identity() const;
    uint64_t hash() const; ///< of all that the image holds: the trailer's last field
    const std::vector<RamBlock>& blocks() const;
    const std::string& stream_header() const; ///< magic, version and configuration section, as QEMU sent them
    uint32_t ram_section_id() const;
    const std::string& device_state() const;   ///< FULL sections, as QEMU sent them
    const std::string& vm_description() const; ///< JSON, may be empty
    /// The files of the chain, this one first.
    const std::vector<ImageLayer>& layers() const;
    const ImageLink& link() const;
    PageState state(size_t block, uint64_t page) const; ///< absent, zero or data
    /// Which of layers() says what the page is.
    size_t layer(size_t block, uint64_t page) const;
    uint64_t checksum(size_t block, uint64_t page) const; ///< of a page of data: XXH3-64, seed 0
    uint64_t data_pages() const;                          ///< over all blocks
    /// Reads count pages of data (all must be PageState::data) and verifies each checksum; corrupt names the
    /// file, block and page.
    void read_pages(size_t block, uint64_t first, uint64_t count, void* into) const;
    /// The same without a look at the checksums, for who compares: what differs must be verified before it is
    /// used.
    void read_unverified(size_t block, uint64_t first, uint64_t count, void* into) const;
    /// Throws corrupt, naming image, block and page, unless the page of data has that content.
    void verify(size_t block, uint64_t page, const void* content) const;

  private:
    struct State;
    explicit ImageReader(std::unique_ptr<State> state);
    void read_of_one_layer(size_t block, uint64_t first, uint64_t count, uint8_t* into) const;
    std::unique_ptr<State> state_;
};

/// The image's hash, 16 hexadecimal digits: it covers every byte of the image through the checksums in it.
/// Reads the trailer alone; throws as ImageReader::open.
std::string image_hash(const std::string& path);

/// Both are asked about once per MiB; either may be left empty.
struct VerifyHooks {
    std::function<void(uint64_t done, uint64_t total)> progress; ///< bytes of data pages
    std::function<bool()> should_stop;                           ///< true: verify_pages throws cancelled
};

enum class Pages {
    all, ///< of the image and what it rests on
    own  ///< that the image's file holds itself
};
/// Reads the pages and compares each with its checksum. Throws corrupt at the first that differs.
void verify_pages(const ImageReader& image, const VerifyHooks* hooks = nullptr, Pages which = Pages::all);
/// What no checksum covers, and only who maps the file gets to see: every page of its own that is not data
/// must read as zeros (docs/formats/memory-image.md, rule 5). Holes are not read. Throws corrupt at the first
/// that does not; cancelled.
void verify_zeros(const ImageReader& image, const std::function<bool()>& should_stop);

} // namespace domsnap::memory
