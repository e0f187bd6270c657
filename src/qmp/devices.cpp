// Consoles, displays and keys; drives, and where RAM lies.
#include "qmp/commands.h"

#include "base/text.h"
#include "qmp/answer.h"

namespace domsnap::qmp {

std::vector<Chardev> query_chardev(Client& qemu, Deadline d) {
    const Json infos = qemu.run("query-chardev", d);
    return read_answer("query-chardev", [&] {
        std::vector<Chardev> chardevs;
        for (const Json& info : infos)
            chardevs.push_back({info.at("label"), info.at("filename")});
        return chardevs;
    });
}

Vnc query_vnc(Client& qemu, Deadline d) {
    const Json info = qemu.run("query-vnc", d);
    return read_answer("query-vnc", [&] {
        return Vnc{info.at("enabled"), info.value("host", std::string()),
                   info.value("service", std::string()), info.value("family", std::string())};
    });
}

void set_drive(Client& qemu, const std::string& object, const std::string& node, Deadline d) {
    qemu.run("qom-set", {{"path", object}, {"property", "drive"}, {"value", node}}, d);
}

uint64_t ram_address(Client& qemu, Deadline d) {
    // "Host virtual address for 0x0 (pc.ram) is 0x7f1c2fe00000", QEMU 7.2 and 10.0
    const auto words = text::split(text::trim(human_command(qemu, "gpa2hva 0", d)), ' ');
    const auto address = text::to_u64_any_base(words.back());
    if (!address || *address == 0 || words.front() != "Host")
        throw Error(ErrorCode::unsupported,
                    "QEMU does not say where its guest's memory lies: " + text::join(words, " "));
    return *address;
}

namespace {
std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    for (const auto& word : text::split(text::trim(line), ' '))
        if (!word.empty()) words.push_back(word);
    return words;
}

/// "NAME  4 KiB  0xOFFSET 0xUSED 0xTOTAL", and since 8.1 "0xHVA  rw"; the first line is a heading.
std::optional<RamBlock> ram_block_in(const std::string& line) {
    const auto words = words_of(line);
    if (words.size() < 6) return std::nullopt;
    const auto used = text::to_u64_any_base(words[4]), most = text::to_u64_any_base(words[5]);
    const auto address = words.size() > 6 ? text::to_u64_any_base(words[6]) : std::optional<uint64_t>(0);
    if (!used || !most || !address) return std::nullopt;
    return RamBlock{words[0], *used, *most, *address};
}
} // namespace

std::vector<RamBlock> query_ram_blocks(Client& qemu, Deadline d) {
    std::vector<RamBlock> blocks;
    for (const auto& line : text::split(human_command(qemu, "info ramblock", d), '\n'))
        if (const auto block = ram_block_in(line)) blocks.push_back(*block);
    return blocks;
}

void screendump(Client& qemu, const std::string& path, bool png, Deadline d) {
    Json arguments{{"filename", path}};
    if (png) arguments["format"] = "png"; // "ppm" is the default, and QEMU before 7.1 knows no "format"
    qemu.run("screendump", arguments, d);
}

void send_key(Client& qemu, const std::vector<std::string>& qcodes, int hold_ms, Deadline d) {
    Json keys = Json::array();
    for (const auto& qcode : qcodes)
        keys.push_back({{"type", "qcode"}, {"data", qcode}});
    qemu.run("send-key", {{"keys", keys}, {"hold-time", hold_ms}}, d);
}

} // namespace domsnap::qmp
