// Migration streams as QEMU writes them, made by hand: each test says what is in its own.
#pragma once

#include "memory/bytes.h"
#include "memory/image.h"
#include "memory/stream.h"

#include <string>
#include <vector>

namespace domsnap::memory {

/// page_size bytes that no other seed gives.
inline std::string page_of(unsigned seed) {
    std::string page(page_size, '\0');
    for (size_t i = 0; i < page.size(); ++i)
        page[i] = static_cast<char>(seed + i * (seed | 1) + i / 256);
    return page;
}

/// Every call appends what it names; nothing is checked, so that wrong streams can be made too.
class StreamBuilder {
  public:
    std::string bytes;
    uint32_t ram_id = 2;

    StreamBuilder& header(const std::string& machine = "pc-q35-7.2") {
        put_big(bytes, wire::magic);
        put_big(bytes, wire::version);
        bytes.push_back(wire::configuration);
        put_big(bytes, static_cast<uint32_t>(machine.size()));
        bytes += machine;
        return *this;
    }
    StreamBuilder& subsection(const std::string& name, const std::string& body) {
        bytes.push_back(wire::subsection);
        counted(name);
        put_big(bytes, uint32_t{1});
        bytes += body;
        return *this;
    }
    StreamBuilder& start(const std::vector<StreamBlock>& blocks) {
        section(wire::section_start);
        counted("ram");
        put_big(bytes, uint32_t{0});
        put_big(bytes, wire::ram_version);
        uint64_t total = 0;
        for (const auto& block : blocks)
            total += block.length;
        put_big(bytes, total | wire::block_list);
        for (const auto& block : blocks) {
            counted(block.name);
            put_big(bytes, block.length);
        }
        return close();
    }
    StreamBuilder& section(wire::SectionType type) {
        bytes.push_back(static_cast<char>(type));
        put_big(bytes, ram_id);
        return *this;
    }
    /// An empty block name: the same block as before.
    StreamBuilder& zero(uint64_t page, const std::string& block = {}) {
        record(page, wire::zero_page, block);
        bytes.push_back('\0');
        return *this;
    }
    StreamBuilder& data(uint64_t page, const std::string& content, const std::string& block = {}) {
        record(page, wire::data_page, block);
        bytes += content;
        return *this;
    }
    StreamBuilder& close() {
        put_big(bytes, uint64_t{wire::end_of_section});
        bytes.push_back(static_cast<char>(wire::section_footer));
        put_big(bytes, ram_id);
        return *this;
    }
    StreamBuilder& device(const std::string& name, const std::string& state) {
        device_state += device_section(name, state);
        return *this;
    }
    /// One FULL section.
    static std::string device_section(const std::string& name, const std::string& state) {
        std::string section(1, static_cast<char>(wire::section_full));
        put_big(section, uint32_t{7});
        section.push_back(static_cast<char>(name.size()));
        section += name;
        put_big(section, uint32_t{0});
        put_big(section, uint32_t{1});
        section += state;
        section.push_back(static_cast<char>(wire::section_footer));
        put_big(section, uint32_t{7});
        return section;
    }
    /// END of RAM, the devices, the end mark, the description.
    std::string finish(const std::string& description = R"({"devices":[]})") {
        section(wire::section_end).close();
        bytes += device_state;
        bytes.push_back(wire::end_of_stream);
        bytes.push_back(wire::vm_description);
        put_big(bytes, static_cast<uint32_t>(description.size()));
        return bytes + description;
    }
    std::string device_state;

  private:
    void counted(const std::string& text) {
        bytes.push_back(static_cast<char>(text.size()));
        bytes += text;
    }
    void record(uint64_t page, uint64_t flag, const std::string& block) {
        put_big(bytes, page * page_size | flag | (block.empty() ? uint64_t{wire::same_block} : 0));
        if (!block.empty()) counted(block);
    }
};

/// A small machine: three blocks, the main one not first, pages of every kind, a repeat, a page that became
/// zero.
inline std::string small_stream() {
    StreamBuilder s;
    s.header().subsection("configuration/uuid", std::string(16, 'u'));
    s.start({{"vga.vram", 2 * page_size}, {"pc.ram", 8 * page_size}, {"pc.bios", page_size}});
    s.section(wire::section_part)
        .data(0, page_of(1), "pc.ram")
        .data(1, page_of(2))
        .zero(2)
        .data(4, page_of(3));
    s.zero(0, "vga.vram").data(1, page_of(4)).close();
    s.section(wire::section_part).data(1, page_of(5), "pc.ram").zero(4).data(7, page_of(6));
    s.data(0, page_of(7), "pc.bios").close();
    s.device("timer", std::string("\0\6\0\0\0\1x", 7)).device("cpu", "state of the cpu");
    return s.finish();
}

} // namespace domsnap::memory
