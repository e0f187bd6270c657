// Reads QEMU's migration stream (version 3, as QEMU 7.2 and 10.0 send it for a plain or a background-snapshot
// migration). A pull parser over hostile input: everything is bounded, every offset checked. Does not know
// what becomes of the pages.
#pragma once

#include "memory/byte_source.h"

#include <cstdint>
#include <domsnap/error.h>
#include <span>
#include <string>
#include <vector>

namespace domsnap::memory {

inline constexpr uint64_t max_total_ram = uint64_t{16} << 40;
inline constexpr size_t max_blocks = 256, max_device_state = size_t{256} << 20,
                        max_vm_description = size_t{16} << 20, max_stream_header = 64 << 10;

/// The words of the stream, in the order in which they come.
namespace wire {
inline constexpr uint32_t magic = 0x5145564d, version = 3, ram_version = 4;
enum SectionType : uint8_t {
    end_of_stream = 0,
    section_start = 1,
    section_part = 2,
    section_end = 3,
    section_full = 4,
    subsection = 5,
    vm_description = 6,
    configuration = 7,
    command = 8,
    section_footer = 0x7e
};
/// In the low bits of a RAM record's offset.
enum RamFlag : uint16_t {
    zero_page = 0x02,
    block_list = 0x04,
    data_page = 0x08,
    end_of_section = 0x10,
    same_block = 0x20
};
/// What a postcopy source says besides sections.
enum Command : uint16_t {
    open_return_path = 1,
    ping = 2,
    postcopy_advise = 3,
    postcopy_listen = 4,
    postcopy_run = 5,
    ram_discard = 6,
    packaged = 7,
    postcopy_resume = 9,
    send_received_bitmap = 10
};
/// What its destination answers.
enum Answer : uint16_t {
    shut = 1,
    pong = 2,
    request_of_block = 3,
    request = 4,
    received_bitmap = 5,
    resume_acknowledged = 6,
    switchover_acknowledged = 7
};
} // namespace wire

struct StreamBlock {
    std::string name;
    uint64_t length = 0; ///< bytes, a multiple of page_size
};

struct PageRecord {
    uint64_t offset = 0;           ///< in the block, checked
    const uint8_t* data = nullptr; ///< page_size bytes; null for a zero page
    uint32_t block = 0;            ///< index in blocks()
};

class StreamParser {
  public:
    enum class Event { blocks, pages, end };

    explicit StreamParser(ByteSource& source) : source_(source) {}

    /// Blocks as the source blocks. First `blocks`, then any number of `pages`, then `end` for ever. Errors:
    /// corrupt (with the byte's place), unsupported (a kind of stream that an image cannot hold), and what
    /// the source throws.
    Event next();

    const std::string& header() const {
        return header_;
    } ///< from `blocks` on: magic, version, configuration section
    const std::vector<StreamBlock>& blocks() const {
        return blocks_;
    } ///< from `blocks` on, in the stream's order
    uint32_t ram_section_id() const { return ram_id_; }
    /// After `pages`: some records in the stream's order; they and their data are valid until next().
    std::span<const PageRecord> pages() const { return pages_; }
    const std::string& device_state() const { return device_state_; }                ///< after `end`
    const std::string& vm_description() const { return vm_description_; }            ///< after `end`
    uint64_t bytes() const { return received_ - static_cast<uint64_t>(end_ - at_); } ///< consumed so far

  private:
    enum class Place { start, records, footer, sections, tail, done };
    enum class Step { record, section_end, incomplete };

    bool refill();
    const uint8_t* need(size_t size, const char* what);
    std::string_view need_counted_name(const char* what);
    void keep_in_header(size_t size);
    void read_start();
    void read_subsection();
    void refuse_capabilities();
    void read_ram_section_start();
    void read_block_list();
    void gather_pages();
    Step step();
    uint32_t find_block(std::string_view name) const;
    void read_footer();
    void read_section_start();
    void skip_command();
    void read_tail();
    [[noreturn]] void damaged(const std::string& what) const;

    ByteSource& source_;
    Place place_ = Place::start;
    const uint8_t* at_ = nullptr;
    const uint8_t* end_ = nullptr;
    uint64_t received_ = 0;
    std::string header_, device_state_, vm_description_;
    std::vector<StreamBlock> blocks_;
    std::vector<PageRecord> pages_;
    uint32_t ram_id_ = 0;
    uint32_t block_ = max_blocks; ///< of the last record; max_blocks: none yet
};

} // namespace domsnap::memory
