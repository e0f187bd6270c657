// Consoles, displays and keys.
#include "qmp/commands.h"

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
