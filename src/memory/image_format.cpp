#include "memory/image_format.h"

#include "memory/bytes.h"

#include <algorithm>
#include <new>
#include <xxhash.h>

namespace domsnap::memory {

static constexpr std::string_view mark_magic = "domsnapR", trailer_magic = "domsnapM";
static constexpr uint64_t block_alignment = uint64_t{2} << 20;

uint64_t checksum(const void* data, size_t size) { return XXH3_64bits(data, size); }

Checksum::Checksum() : state_(XXH3_createState()) {
    if (!state_) throw std::bad_alloc();
    XXH3_64bits_reset(state_);
}
Checksum::~Checksum() { XXH3_freeState(state_); }
void Checksum::add(const void* data, size_t size) { XXH3_64bits_update(state_, data, size); }
uint64_t Checksum::value() const { return XXH3_64bits_digest(state_); }

const char* to_string(SectionType type) {
    switch (type) {
    case SectionType::stream_header:
        return "stream header";
    case SectionType::device_state:
        return "device state";
    case SectionType::vm_description:
        return "description of the device state";
    case SectionType::ram_blocks:
        return "table of RAM blocks";
    case SectionType::page_states:
        return "page states";
    case SectionType::page_checksums:
        return "page checksums";
    case SectionType::identity:
        return "identity";
    case SectionType::parent:
        return "parent";
    case SectionType::names_of_before:
        return "list of names of before";
    }
    return "unknown section";
}

bool is_known(uint32_t type) { return type != 0 && type != 9 && type <= last_known_section; }

static std::string sealed(std::string bytes) {
    put_little(bytes, checksum(bytes.data(), bytes.size()));
    return bytes;
}

// Mark and trailer are alike: magic, version, …, checksum of all before it.
static Finding look_at_seal(std::string_view bytes, std::string_view magic) {
    if (bytes.size() != trailer_size || !bytes.starts_with(magic)) return Finding::foreign;
    const size_t covered = bytes.size() - 8;
    if (from_little<uint64_t>(bytes.data() + covered) != checksum(bytes.data(), covered))
        return Finding::altered;
    return from_little<uint32_t>(bytes.data() + 8) > format_version ? Finding::newer : Finding::good;
}

std::string encode(const Mark& mark) {
    std::string bytes(mark_magic);
    put_little(bytes, format_version);
    put_little(bytes, uint32_t{0});
    put_little(bytes, mark.offset);
    put_little(bytes, mark.final_size);
    bytes.append(24, '\0');
    return sealed(std::move(bytes));
}

Finding decode(std::string_view bytes, Mark& mark) {
    const Finding finding = look_at_seal(bytes, mark_magic);
    if (finding == Finding::good)
        mark = {.offset = from_little<uint64_t>(bytes.data() + 16),
                .final_size = from_little<uint64_t>(bytes.data() + 24)};
    return finding;
}

std::string encode(const Trailer& trailer) {
    std::string bytes(trailer_magic);
    put_little(bytes, format_version);
    put_little(bytes, trailer.sections);
    for (const uint64_t number : {trailer.mark_offset, trailer.table_offset, trailer.table_size,
                                  trailer.table_checksum, trailer.file_size})
        put_little(bytes, number);
    return sealed(std::move(bytes));
}

Finding decode(std::string_view bytes, Trailer& trailer) {
    const Finding finding = look_at_seal(bytes, trailer_magic);
    if (finding != Finding::good) return finding;
    const auto number = [&](size_t at) { return from_little<uint64_t>(bytes.data() + at); };
    trailer = {.sections = from_little<uint32_t>(bytes.data() + 12),
               .mark_offset = number(16),
               .table_offset = number(24),
               .table_size = number(32),
               .table_checksum = number(40),
               .file_size = number(48)};
    return finding;
}

std::string encode(std::span<const Section> table) {
    std::string bytes;
    for (const Section& section : table) {
        put_little(bytes, section.type);
        put_little(bytes, uint32_t{section.mandatory});
        for (const uint64_t number : {section.offset, section.size, section.checksum})
            put_little(bytes, number);
    }
    return bytes;
}

std::vector<Section> decode_table(std::string_view bytes) {
    std::vector<Section> table;
    for (; bytes.size() >= section_entry_size; bytes.remove_prefix(section_entry_size))
        table.push_back({.type = from_little<uint32_t>(bytes.data()),
                         .mandatory = (bytes[4] & 1) != 0,
                         .offset = from_little<uint64_t>(bytes.data() + 8),
                         .size = from_little<uint64_t>(bytes.data() + 16),
                         .checksum = from_little<uint64_t>(bytes.data() + 24)});
    return table;
}

// QEMU sends its blocks largest first, so the first is the main one of a machine whose RAM has another name.
static size_t main_block(const std::vector<StreamBlock>& blocks) {
    const auto found = std::ranges::find(blocks, "pc.ram", &StreamBlock::name);
    return found == blocks.end() ? 0 : static_cast<size_t>(found - blocks.begin());
}

std::vector<RamBlock> lay_out(const std::vector<StreamBlock>& blocks) {
    std::vector<RamBlock> placed;
    if (blocks.empty()) return placed;
    const size_t main = main_block(blocks);
    uint64_t free = blocks[main].length;
    for (size_t i = 0; i < blocks.size(); ++i) {
        placed.push_back({blocks[i].name, blocks[i].length, 0});
        if (i == main) continue;
        placed[i].offset = (free + block_alignment - 1) / block_alignment * block_alignment;
        free = placed[i].offset + placed[i].length;
    }
    return placed;
}

uint64_t ram_end(std::span<const RamBlock> blocks) {
    uint64_t end = 0;
    for (const RamBlock& block : blocks)
        end = std::max(end, block.offset + block.length);
    return end;
}

uint64_t page_count(std::span<const RamBlock> blocks) {
    uint64_t count = 0;
    for (const RamBlock& block : blocks)
        count += block.length / page_size;
    return count;
}

bool have_same_blocks(std::span<const RamBlock> a, std::span<const RamBlock> b) {
    return std::ranges::equal(a, b, [](const RamBlock& x, const RamBlock& y) {
        return x.name == y.name && x.length == y.length && x.offset == y.offset;
    });
}

std::string encode(std::span<const RamBlock> blocks, uint32_t ram_section_id) {
    std::string bytes;
    put_little(bytes, static_cast<uint32_t>(blocks.size()));
    put_little(bytes, ram_section_id);
    for (const RamBlock& block : blocks) {
        put_little(bytes, block.length);
        put_little(bytes, block.offset);
        bytes.push_back(static_cast<char>(block.name.size()));
        bytes += block.name;
    }
    return bytes;
}

// Takes one block off the front; false if it is cut short or breaks a limit.
static bool take_block(std::string_view& bytes, RamBlock& block) {
    if (bytes.size() < 17) return false;
    block.length = from_little<uint64_t>(bytes.data());
    block.offset = from_little<uint64_t>(bytes.data() + 8);
    const auto name = static_cast<uint8_t>(bytes[16]);
    if (bytes.size() < 17u + name) return false;
    block.name = bytes.substr(17, name);
    bytes.remove_prefix(17u + name);
    return name > 0 && block.length > 0 && block.length % page_size == 0 && block.length <= max_total_ram;
}

static bool lie_as_laid_out(const std::vector<RamBlock>& blocks) {
    std::vector<StreamBlock> plain;
    for (const RamBlock& block : blocks)
        plain.push_back({block.name, block.length});
    return std::ranges::equal(blocks, lay_out(plain), {}, &RamBlock::offset, &RamBlock::offset);
}

std::optional<std::vector<RamBlock>> decode_blocks(std::string_view bytes, uint32_t& ram_section_id) {
    if (bytes.size() < 8) return std::nullopt;
    const auto count = from_little<uint32_t>(bytes.data());
    ram_section_id = from_little<uint32_t>(bytes.data() + 4);
    bytes.remove_prefix(8);
    if (count == 0 || count > max_blocks) return std::nullopt;
    std::vector<RamBlock> blocks(count);
    uint64_t total = 0;
    for (RamBlock& block : blocks) {
        if (!take_block(bytes, block)) return std::nullopt;
        total += block.length;
    }
    if (!bytes.empty() || total > max_total_ram || !lie_as_laid_out(blocks)) return std::nullopt;
    return blocks;
}

} // namespace domsnap::memory
