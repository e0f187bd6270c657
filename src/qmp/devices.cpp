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
