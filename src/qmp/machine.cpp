// The machine as a whole: whether it runs, who it is, and the user's own monitor commands.
#include "qmp/commands.h"

#include "qmp/answer.h"

namespace domsnap::qmp {

Status query_status(Client& qemu, Deadline d) {
    const Json status = qemu.run("query-status", d);
    return read_answer("query-status", [&] { return Status{status.at("running"), status.at("status")}; });
}

std::string query_uuid(Client& qemu, Deadline d) {
    const Json answer = qemu.run("query-uuid", d);
    return read_answer("query-uuid", [&] { return answer.at("UUID").get<std::string>(); });
}

void stop(Client& qemu, Deadline d) { qemu.run("stop", d); }
void cont(Client& qemu, Deadline d) { qemu.run("cont", d); }

void quit(Client& qemu, Deadline d) {
    try {
        qemu.run("quit", d);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::io) throw;
    }
}

void system_powerdown(Client& qemu, Deadline d) { qemu.run("system_powerdown", d); }
void system_reset(Client& qemu, Deadline d) { qemu.run("system_reset", d); }

std::string human_command(Client& qemu, const std::string& line, Deadline d) {
    const Json output = qemu.run("human-monitor-command", {{"command-line", line}}, d);
    return read_answer("human-monitor-command", [&] { return output.get<std::string>(); });
}

std::string raw_command(Client& qemu, const std::string& json_text, Deadline d) {
    const Json command = Json::parse(json_text, nullptr, /*allow_exceptions=*/false);
    if (!command.is_object() || !command.contains("execute"))
        throw Error(ErrorCode::invalid_request, "a QMP command is a JSON object with an \"execute\" member",
                    R"(For example: {"execute": "query-status"})");
    return qemu.exchange(command, d).dump();
}

} // namespace domsnap::qmp
