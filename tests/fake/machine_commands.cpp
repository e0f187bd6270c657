// The machine as a whole: run state, identity, what there is, human commands.
#include "machine.h"

#include "base/text.h"
#include "os/file.h"
#include "os/process.h"

#include <fmt/format.h>

namespace fake {

namespace {

Json negotiate(Machine&, const Json&, Monitor& monitor) {
    monitor.negotiated = true;
    return nothing;
}

Json query_status(Machine& machine, const Json&, Monitor&) {
    Json answer{{"running", machine.running()}, {"status", machine.status}};
    if (machine.before_8()) answer["singlestep"] = false;
    return answer;
}

Json stop(Machine& machine, const Json&, Monitor&) {
    if (machine.status == "inmigrate") machine.autostart = false;
    machine.stop_cpus("paused");
    return nothing;
}

Json cont(Machine& machine, const Json&, Monitor&) {
    if (machine.status == "inmigrate")
        machine.autostart = true;
    else
        machine.start_cpus();
    return nothing;
}

Json quit(Machine& machine, const Json&, Monitor&) {
    machine.shut_down(false, "host-qmp-quit");
    return nothing;
}

/// A guest that runs obeys at once, unless the faults have "deaf system_powerdown".
Json powerdown(Machine& machine, const Json&, Monitor&) {
    machine.emit("POWERDOWN");
    if (machine.running() && !machine.faults.find("deaf", "system_powerdown"))
        machine.shut_down(true, "guest-shutdown");
    return nothing;
}

Json reset(Machine& machine, const Json&, Monitor&) {
    machine.emit("RESET", {{"guest", false}, {"reason", "host-qmp-system-reset"}});
    return nothing;
}

Json query_schema(Machine& machine, const Json&, Monitor&) { return machine.schema.describe(); }

Json query_chardev(Machine& machine, const Json&, Monitor&) {
    Json list = Json::array();
    for (const auto& [id, properties] : machine.options.chardevs)
        list.push_back({{"label", id}, {"filename", machine.chardev_files[id]}, {"frontend-open", true}});
    return list;
}

Json getfd(Machine& machine, const Json& arguments, Monitor& monitor) {
    if (monitor.received.empty()) throw Refusal("No file descriptor supplied via SCM_RIGHTS");
    machine.fds[arguments.at("fdname")] = std::move(monitor.received.front());
    monitor.received.pop_front();
    return nothing;
}

Json closefd(Machine& machine, const Json& arguments, Monitor&) {
    const std::string name = arguments.at("fdname");
    if (machine.fds.erase(name) == 0) throw Refusal("File descriptor named '" + name + "' not found");
    return nothing;
}

Json screendump(Machine&, const Json& arguments, Monitor&) {
    domsnap::os::write_file(arguments.at("filename"), "P6\n1 1\n255\n\xff\xff\xff");
    return nothing;
}

/// qemu-io NODE "COMMAND": the guest's own writes, on both kinds of QEMU.
std::string qemu_io(Machine& machine, const std::string& line) {
    const auto words = domsnap::text::split(line, ' ');
    const size_t quote = line.find('"');
    if (words.size() < 3 || quote == std::string::npos) return "qemu-io: usage\r\n";
    const Node& node = machine.graph.get(words[1]);
    const std::string command = line.substr(quote + 1, line.rfind('"') - quote - 1);
    const auto result =
        domsnap::os::run({"qemu-io", "-f", node.driver, "-c", command, machine.graph.path_of(node)});
    return result.out + result.err;
}

/// gpa2hva ADDRESS: where the guest's memory lies in this process.
std::string host_address(Machine& machine, const std::string& given) {
    const auto address = domsnap::text::to_u64_any_base(given);
    if (!address) return "invalid char in expression\r\n";
    const auto& block = machine.memory.block();
    if (*address >= block.bytes) return fmt::format("No memory is mapped at address {:#x}\r\n", *address);
    return fmt::format("Host virtual address for {:#x} ({}) is {:#x}\r\n", *address, block.id,
                       machine.memory.address() + *address);
}

/// info ramblock: since 8.1 with where each block lies.
std::string ram_blocks(Machine& machine) {
    std::string text =
        "              Block Name    PSize              Offset               Used              Total\r\n";
    for (const GuestMemory* const memory : {&machine.memory, &machine.rom}) {
        const auto& block = memory->block();
        text += fmt::format("{:>24} {:>8}  {:#018x} {:#018x} {:#018x}", block.id, "4 KiB", 0, block.bytes,
                            block.bytes);
        if (!machine.before_8()) text += fmt::format(" {:#018x}  rw", memory->address());
        text += "\r\n";
    }
    return text;
}

Json human(Machine& machine, const Json& arguments, Monitor&) {
    const std::string line = arguments.at("command-line");
    const auto words = domsnap::text::split(line, ' ');
    if (line == "info status")
        return "VM status: " + (machine.running() ? "running" : "paused (" + machine.status + ")") + "\r\n";
    if (words[0] == "qemu-io") return qemu_io(machine, line);
    if (words[0] == "fake-write" && words.size() >= 3) {
        machine.memory.write(std::stoull(words[1]), line.substr(words[0].size() + words[1].size() + 2));
        return "";
    }
    if (words[0] == "fake-read" && words.size() == 3)
        return machine.memory.read(std::stoull(words[1]), std::stoull(words[2]));
    if (words[0] == "gpa2hva" && words.size() == 2) return host_address(machine, words[1]);
    if (line == "info ramblock") return ram_blocks(machine);
    if (line == "fake-sum") return machine.memory.sum();
    if (line == "fake-agent") return !machine.agent ? "none" : machine.agent->frozen() ? "frozen" : "thawed";
    return "unknown command: '" + words[0] + "'\r\n";
}

} // namespace

std::map<std::string, Command> machine_commands() {
    return {
        {"qmp_capabilities", negotiate},
        {"query-status", query_status},
        {"stop", stop},
        {"cont", cont},
        {"quit", quit},
        {"system_powerdown", powerdown},
        {"system_reset", reset},
        {"query-qmp-schema", query_schema},
        {"query-chardev", query_chardev},
        {"getfd", getfd},
        {"closefd", closefd},
        {"screendump", screendump},
        {"human-monitor-command", human},
        {"send-key", [](Machine&, const Json&, Monitor&) { return nothing; }},
        {"query-vnc",
         [](Machine&, const Json&, Monitor&) {
             return Json{{"enabled", false}};
         }},
        {"query-kvm",
         [](Machine&, const Json&, Monitor&) {
             return Json{{"enabled", false}, {"present", false}};
         }},
        {"query-cpu-definitions", [](Machine&, const Json&, Monitor&) { return Json::array(); }},
        {"query-uuid",
         [](Machine& machine, const Json&, Monitor&) {
             return Json{{"UUID", machine.options.uuid}};
         }},
        {"query-name",
         [](Machine& machine, const Json&, Monitor&) {
             return Json{{"name", machine.options.name}};
         }},
        {"query-version", [](Machine& machine, const Json&, Monitor&) { return machine.schema.version(); }},
        {"query-machines", [](Machine& machine, const Json&, Monitor&) { return machine.schema.machines(); }},
        {"query-commands",
         [](Machine& machine, const Json&, Monitor&) { return machine.schema.commands(); }}};
}

} // namespace fake
