#include "ram.h"

#include <algorithm>

namespace fake {

namespace {

constexpr uint64_t flag_zero = 0x02, flag_block_list = 0x04, flag_page = 0x08, flag_end = 0x10,
                   flag_same_block = 0x20;
constexpr char section_end_of_file = 0, section_start = 1, section_part = 2, section_end = 3,
               section_full = 4, section_description = 6, section_configuration = 7, section_footer = 0x7e;
constexpr uint64_t ram_section = 2, device_section = 3;
const std::string device_name = "fake-device", zero_page(page_bytes, '\0');

std::string big_endian(uint64_t value, size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = size; i-- > 0; value >>= 8)
        bytes[i] = static_cast<char>(value & 0xff);
    return bytes;
}

std::string counted(const std::string& text) { return big_endian(text.size(), 1) + text; }
std::string footer(uint64_t section) { return section_footer + big_endian(section, 4); }

std::string header(char kind, uint64_t section, const std::string& name, uint64_t version) {
    return kind + big_endian(section, 4) + counted(name) + big_endian(0, 4) + big_endian(version, 4);
}

std::string start_of_stream(const Ram& ram, const StreamState& state) {
    std::string bytes = "QEVM" + big_endian(3, 4) + section_configuration +
                        big_endian(state.machine.size(), 4) + state.machine;
    bytes += header(section_start, ram_section, "ram", 4) +
             big_endian((ram.block.bytes + rom_bytes) | flag_block_list, 8);
    bytes +=
        counted(ram.block.id) + big_endian(ram.block.bytes, 8) + counted(rom_name) + big_endian(rom_bytes, 8);
    return bytes + big_endian(flag_end, 8) + footer(ram_section);
}

std::string devices(const StreamState& state) {
    const std::string content =
        Json{{"uuid", state.uuid}, {"status", state.status}, {"rings", state.rings}}.dump();
    return header(section_full, device_section, device_name, 1) + big_endian(content.size(), 4) + content +
           footer(device_section) + section_end_of_file;
}

std::string device_state(const StreamState& state) {
    std::string bytes = devices(state);
    const std::string description = R"({"configuration": {}, "devices": []})";
    return bytes + section_description + big_endian(description.size(), 4) + description;
}

/// The pages of one block, some hundreds to a section as QEMU does.
void write_pages(const std::string& block, uint64_t bytes, const std::map<uint64_t, std::string>& pages,
                 StreamProgress& progress, const std::function<void(const std::string&)>& put) {
    constexpr uint64_t section_bytes = 256 * page_bytes;
    for (uint64_t start = 0; start < bytes; start += section_bytes) {
        std::string section = section_part + big_endian(ram_section, 4);
        for (uint64_t at = start; at < std::min(bytes, start + section_bytes); at += page_bytes) {
            const auto page = pages.find(at);
            const bool zero = page == pages.end();
            section +=
                big_endian(at | (zero ? flag_zero : flag_page) | (at == start ? 0 : flag_same_block), 8);
            if (at == start) section += counted(block);
            section += zero ? std::string(1, '\0') : page->second;
            ++(zero ? progress.zero_pages : progress.data_pages);
        }
        put(section + big_endian(flag_end, 8) + footer(ram_section));
        progress.sent += section.size();
    }
}

class Reader {
  public:
    using Store = std::function<void(uint64_t offset, const std::string& page)>;
    Reader(const RamBlock& ram, const std::function<std::string(size_t)>& get, const Store& store)
        : ram_(ram), get_(get), store_(store) {}

    StreamState run(const std::string& machine) {
        if (get_(8) != "QEVM" + big_endian(3, 4)) throw Refusal("Not a migration stream");
        StreamState state;
        for (;;) {
            const char kind = get_(1)[0];
            if (kind == section_end_of_file) return state;
            if (kind == section_configuration)
                read_configuration(machine);
            else
                read_section(kind, state);
        }
    }

  private:
    uint64_t number(size_t size) {
        uint64_t value = 0;
        for (const char byte : get_(size))
            value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    std::string text() { return get_(number(1)); }

    void read_configuration(const std::string& machine) {
        const std::string name = get_(number(4));
        if (name != machine)
            throw Refusal("Machine type received is '" + name + "' and local is '" + machine + "'");
    }

    void read_section(char kind, StreamState& state) {
        if (kind < section_start || kind > section_full)
            throw Refusal("Unknown savevm section type " + std::to_string(kind));
        const uint64_t section = number(4);
        std::string name = section == ram_section_ ? "ram" : "";
        if (kind == section_start || kind == section_full) {
            name = text();
            number(4);
            number(4);
        }
        if (kind == section_start && name == "ram") ram_section_ = section; // the stream's own number
        if (name == "ram")
            read_ram();
        else if (name == device_name)
            read_device(state);
        else
            throw Refusal("Unknown savevm section or instance '" + name + "' 0");
        if (get_(1)[0] != section_footer || number(4) != section)
            throw Refusal("Missing section footer for " + name);
    }

    void read_device(StreamState& state) {
        const Json content = Json::parse(get_(number(4)));
        state.uuid = content.at("uuid");
        state.status = content.at("status");
        state.rings = content.at("rings");
    }

    void read_block_list(uint64_t left) {
        while (left > 0) {
            const std::string name = text();
            const uint64_t bytes = number(8);
            const uint64_t ours = name == ram_.id ? ram_.bytes : name == rom_name ? rom_bytes : 0;
            if (ours != bytes) throw Refusal("Size mismatch: " + name + ": 0x" + std::to_string(bytes));
            left -= std::min(left, bytes);
        }
    }

    void read_ram() {
        for (;;) {
            const uint64_t word = number(8), flags = word & (page_bytes - 1), offset = word - flags;
            if (flags & flag_end) return;
            if (flags & flag_block_list) {
                read_block_list(offset);
                continue;
            }
            if (!(flags & flag_same_block)) block_ = text();
            if (flags & flag_zero)
                store(offset, std::string(page_bytes, get_(1)[0]));
            else if (flags & flag_page)
                store(offset, get_(page_bytes));
            else
                throw Refusal("Unknown combination of migration flags: 0x" + std::to_string(flags));
        }
    }

    void store(uint64_t offset, const std::string& page) {
        if (block_ == ram_.id) store_(offset, page);
    }

    const RamBlock& ram_;
    const std::function<std::string(size_t)>& get_;
    const Store& store_;
    std::string block_;
    uint64_t ram_section_ = 0;
};

} // namespace

void write_stream(const Ram& ram, const StreamState& state, bool background, StreamProgress& progress,
                  const std::function<void(const std::string&)>& put) {
    put(start_of_stream(ram, state));
    write_pages(rom_name, rom_bytes, {}, progress, put);
    write_pages(ram.block.id, ram.block.bytes, ram.pages, progress, put);
    if (!background)
        put(section_end + big_endian(ram_section, 4) + big_endian(flag_end, 8) + footer(ram_section));
    put(device_state(state));
}

std::string device_file(const StreamState& state) { return "QEVM" + big_endian(3, 4) + devices(state); }

StreamState read_stream(const RamBlock& block, const std::string& machine,
                        const std::function<std::string(size_t)>& get,
                        const std::function<void(uint64_t offset, const std::string& page)>& store) {
    return Reader(block, get, store).run(machine);
}

} // namespace fake
