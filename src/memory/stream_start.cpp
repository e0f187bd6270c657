// The part of the stream before the first page: header, configuration, list of RAM blocks.
#include "base/text.h"
#include "memory/bytes.h"
#include "memory/image.h"
#include "memory/stream.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::memory {

void StreamParser::keep_in_header(size_t size) {
    if (header_.size() + size > max_stream_header) damaged("the configuration is too long");
    header_.append(as_text(at_, size));
    at_ += size;
}

static Error too_old() {
    return {ErrorCode::unsupported, "the migration stream has no configuration section",
            "machine types older than 2.4 cannot be kept in a memory image"};
}

void StreamParser::read_start() {
    const uint8_t* const at = need(8, "the header");
    if (from_big<uint32_t>(at) != wire::magic) damaged("it does not begin as a migration stream");
    if (const auto version = from_big<uint32_t>(at + 4); version != wire::version)
        throw Error(ErrorCode::unsupported, fmt::format("migration stream version {} is not known", version));
    keep_in_header(8);
    if (*need(5, "the configuration") != wire::configuration) throw too_old();
    const size_t name = from_big<uint32_t>(at_ + 1);
    if (name > 255) damaged("the machine's name is too long");
    need(5 + name, "the configuration");
    keep_in_header(5 + name);
    while (*need(1, "the configuration") == wire::subsection)
        read_subsection();
    read_ram_section_start();
}

// They do not say how long they are: only those that are known can be passed.
void StreamParser::read_subsection() {
    const size_t length = need(2, "the configuration")[1];
    const std::string name(as_text(need(2 + length + 4, "the configuration") + 2, length));
    const size_t head = 2 + length + 4;
    if (name == "configuration/capabilities") {
        keep_in_header(head);
        refuse_capabilities();
    } else if (name == "configuration/target-page-bits") {
        if (from_big<uint32_t>(need(head + 4, "the configuration") + head) != 12)
            throw Error(ErrorCode::unsupported, "the guest's page size is not 4096 bytes");
        keep_in_header(head + 4);
    } else if (name == "configuration/uuid") {
        need(head + 16, "the configuration");
        keep_in_header(head + 16);
    } else {
        throw Error(ErrorCode::unsupported,
                    fmt::format("the migration stream has an unknown part '{}'", text::printable(name)));
    }
}

void StreamParser::refuse_capabilities() {
    const auto count = from_big<uint32_t>(need(4, "the configuration"));
    if (count > 256) damaged("too many capabilities");
    keep_in_header(4);
    for (uint32_t i = 0; i < count; ++i) {
        const std::string name(need_counted_name("the configuration"));
        for (const char* const changes_layout : {"x-ignore-shared", "mapped-ram", "multifd"})
            if (name == changes_layout)
                throw Error(ErrorCode::unsupported,
                            fmt::format("the migration stream was made with the capability '{}'", name),
                            "switch that capability off");
        keep_in_header(1 + name.size());
    }
}

void StreamParser::read_ram_section_start() {
    const uint8_t type = *need(1, "the RAM section");
    if (type == wire::section_full)
        throw Error(ErrorCode::unsupported, "the migration stream has a device before RAM",
                    "a machine with virtio-mem cannot be kept in a memory image");
    while (*need(1, "the RAM section") == wire::command)
        skip_command();
    if (*need(5, "the RAM section") != wire::section_start) damaged("the RAM section is missing");
    ram_id_ = from_big<uint32_t>(at_ + 1);
    at_ += 5;
    if (const auto name = need_counted_name("the RAM section"); name != "ram")
        throw Error(
            ErrorCode::unsupported,
            fmt::format("the migration stream begins with a live section '{}'", text::printable(name)),
            "switch migration capabilities off and remove what migrates by itself (dirty bitmaps, vfio)");
    at_ += 4;
    if (const auto version = from_big<uint32_t>(need(8, "the RAM section") + 4); version != wire::ram_version)
        throw Error(ErrorCode::unsupported,
                    fmt::format("version {} of the RAM section is not known", version));
    at_ += 8;
    read_block_list();
}

void StreamParser::read_block_list() {
    const auto word = from_big<uint64_t>(need(8, "the list of RAM blocks"));
    if (word % page_size != wire::block_list) damaged("the list of RAM blocks is missing");
    at_ += 8;
    uint64_t left = word - word % page_size;
    if (left == 0 || left > max_total_ram) damaged("no RAM, or more than 16 TiB");
    while (left > 0) {
        if (blocks_.size() == max_blocks) damaged("more than 256 RAM blocks");
        StreamBlock block{.name = std::string(need_counted_name("the list of RAM blocks"))};
        at_ += 1 + block.name.size();
        block.length = from_big<uint64_t>(need(8, "the list of RAM blocks"));
        at_ += 8;
        if (block.name.empty() || find_block(block.name) < blocks_.size())
            damaged("a RAM block without a name of its own");
        if (block.length == 0 || block.length % page_size != 0 || block.length > left)
            damaged(fmt::format("the length of RAM block '{}'", text::printable(block.name)));
        left -= block.length;
        blocks_.push_back(std::move(block));
    }
}

} // namespace domsnap::memory
