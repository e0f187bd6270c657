// The image's metadata as bytes and back, exactly as docs/formats/memory-image.md has it. Does no I/O.
#pragma once

#include "memory/image.h"
#include "memory/stream.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct XXH3_state_s; // of xxhash.h

namespace domsnap::memory {

inline constexpr uint32_t format_version = 1;
inline constexpr uint64_t mark_size = 64, trailer_size = 64, section_entry_size = 32;
inline constexpr uint32_t max_sections = 64;

uint64_t checksum(const void* data, size_t size); ///< XXH3-64, seed 0
/// The same of bytes that come in pieces.
class Checksum {
  public:
    Checksum();
    ~Checksum();
    Checksum(const Checksum&) = delete;
    Checksum& operator=(const Checksum&) = delete;
    void add(const void* data, size_t size);
    uint64_t value() const;

  private:
    XXH3_state_s* state_;
};

enum class SectionType : uint32_t {
    stream_header = 1,
    device_state,
    vm_description,
    ram_blocks,
    page_states,
    page_checksums,
    identity,
    parent,
    names_of_before = 10
};
inline constexpr uint32_t last_known_section = 10;
bool is_known(uint32_t type);
const char* to_string(SectionType type); ///< in the user's words

struct Section {
    uint32_t type = 0;
    bool mandatory = true;
    uint64_t offset = 0, size = 0, checksum = 0;
};

/// What opening bytes say of themselves. `newer` is found only where the checksum is right.
enum class Finding { foreign, altered, newer, good };

struct Mark {
    uint64_t offset = 0, final_size = 0;
};
std::string encode(const Mark& mark);
Finding decode(std::string_view bytes, Mark& mark);

struct Trailer {
    uint32_t sections = 0;
    uint64_t mark_offset = 0, table_offset = 0, table_size = 0, table_checksum = 0, file_size = 0;
};
std::string encode(const Trailer& trailer);
Finding decode(std::string_view bytes, Trailer& trailer);

std::string encode(std::span<const Section> table);
std::vector<Section> decode_table(std::string_view bytes); ///< size: a multiple of section_entry_size

/// Where each block lies: one answer for a list of blocks, so a reader can demand it.
std::vector<RamBlock> lay_out(const std::vector<StreamBlock>& blocks);
uint64_t ram_end(std::span<const RamBlock> blocks);
uint64_t page_count(std::span<const RamBlock> blocks);
/// The same names, lengths and places: a page of one lies in the other too, at the same place.
bool have_same_blocks(std::span<const RamBlock> a, std::span<const RamBlock> b);

std::string encode(std::span<const RamBlock> blocks, uint32_t ram_section_id);
/// Nothing if the bytes break a rule of the format.
std::optional<std::vector<RamBlock>> decode_blocks(std::string_view bytes, uint32_t& ram_section_id);

} // namespace domsnap::memory
