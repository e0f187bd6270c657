#include "memory/stream_text.h"

#include "memory/bytes.h"

namespace domsnap::memory {

std::string counted(std::string_view name) {
    std::string text(1, static_cast<char>(name.size()));
    return text.append(name);
}

void StreamText::name(const std::string& text) { bytes_ += counted(text); }

void StreamText::begin_ram(wire::SectionType type) {
    bytes_.push_back(static_cast<char>(type));
    put_big(bytes_, image_.ram_section_id());
    block_ = max_blocks;
}

void StreamText::end_ram() {
    put_big(bytes_, uint64_t{wire::end_of_section});
    bytes_.push_back(static_cast<char>(wire::section_footer));
    put_big(bytes_, image_.ram_section_id());
}

void StreamText::start_of_ram() {
    begin_ram(wire::section_start);
    name("ram");
    put_big(bytes_, uint32_t{0}); // instance
    put_big(bytes_, wire::ram_version);
    uint64_t total = 0;
    for (const RamBlock& block : image_.blocks())
        total += block.length;
    put_big(bytes_, total | wire::block_list);
    for (const RamBlock& block : image_.blocks()) {
        name(block.name);
        put_big(bytes_, block.length);
    }
    end_ram();
}

void StreamText::record(size_t block, uint64_t page, uint64_t flag) {
    const uint64_t same = block == block_ ? uint64_t{wire::same_block} : 0;
    put_big(bytes_, page * page_size | flag | same);
    if (!same) name(image_.blocks()[block].name);
    block_ = block;
}

void StreamText::zero(size_t block, uint64_t page) {
    record(block, page, wire::zero_page);
    bytes_.push_back('\0');
}

void StreamText::data(size_t block, uint64_t page, const char* content) {
    record(block, page, wire::data_page);
    bytes_.append(content, page_size);
}

void StreamText::devices_and_end() {
    bytes_ += image_.device_state();
    bytes_.push_back(static_cast<char>(wire::end_of_stream));
    bytes_.push_back(static_cast<char>(wire::vm_description));
    put_big(bytes_, static_cast<uint32_t>(image_.vm_description().size()));
    bytes_ += image_.vm_description();
}

void StreamText::command(wire::Command command, std::string_view data) {
    bytes_.push_back(static_cast<char>(wire::command));
    put_big(bytes_, static_cast<uint16_t>(command));
    put_big(bytes_, static_cast<uint16_t>(data.size()));
    bytes_ += data;
}

} // namespace domsnap::memory
