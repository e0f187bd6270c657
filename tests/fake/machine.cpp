#include "machine.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace fake {

namespace {

Json error_answer(const std::string& kind, const std::string& words) {
    return {{"error", {{"class", kind}, {"desc", words}}}};
}

Json now() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
    return {{"seconds", microseconds / 1'000'000}, {"microseconds", microseconds % 1'000'000}};
}

/// Of the machine type's alias, as QEMU's default "pc" and "q35" are.
std::string full_machine_name(const Schema& schema, const std::string& name) {
    for (const Json& machine : schema.machines())
        if (machine.at("name") == name || machine.value("alias", "") == name) return machine["name"];
    throw Refusal("unsupported machine type\nUse -machine help to list supported machines");
}

void check_envelope(const Json& command) {
    if (!command.is_object()) throw Refusal("QMP input must be a JSON object");
    for (const auto& [key, value] : command.items())
        if (key != "execute" && key != "exec-oob" && key != "arguments" && key != "id")
            throw Refusal("QMP input member '" + key + "' is unexpected");
    const char* verb = command.contains("exec-oob") ? "exec-oob" : "execute";
    if (!command.contains(verb)) throw Refusal("QMP input lacks member 'execute'");
    if (!command[verb].is_string())
        throw Refusal("QMP input member '" + std::string(verb) + "' must be a string");
    if (command.contains("arguments") && !command["arguments"].is_object())
        throw Refusal("QMP input member 'arguments' must be an object");
}

} // namespace

const std::map<std::string, Command>& commands() {
    static const auto all = [] {
        auto table = machine_commands();
        for (auto part : {block_commands(), job_commands(), migration_commands()})
            table.merge(part);
        return table;
    }();
    return all;
}

Machine::Machine(Options given, Schema recorded)
    : options(std::move(given)), schema(std::move(recorded)),
      jobs([this](const std::string& event, const Json& data) { emit(event, data); }),
      memory({options.ram_id, options.ram_bytes}, options.ram_file), rom({rom_name, rom_bytes}, "") {
    options.machine = full_machine_name(schema, options.machine);
    autostart = !options.paused;
    if (options.ram_file.empty()) memory.fill(64);
    for (const Json& blockdev : options.blockdevs) {
        schema.check("blockdev-add", blockdev);
        graph.add(blockdev);
    }
    for (const Json& device : options.devices)
        graph.attach(device);
    jobs.fault = [this](const std::string& type) -> std::optional<std::string> {
        faults.count(type);
        const auto fault = faults.find("job-fail", type);
        return fault ? std::optional(fault->argument) : std::nullopt;
    };
}

void Machine::emit(const std::string& event, const Json& data) {
    Json message{{"event", event}, {"timestamp", now()}};
    if (!data.is_null()) message["data"] = data;
    for (const auto& monitor : monitors_)
        if (monitor->negotiated) monitor->send(message);
}

void Machine::start_cpus() {
    if (running()) return;
    images_inactive = false;
    status = "running";
    emit("RESUME");
}

void Machine::stop_cpus(const std::string& because) {
    if (!running()) return;
    status = because;
    emit("STOP");
}

void Machine::shut_down(bool by_guest, const std::string& reason) {
    emit("SHUTDOWN", {{"guest", by_guest}, {"reason", reason}});
    quitting = true;
}

Json Machine::run_command(Monitor& monitor, const std::string& name, const Json& arguments) {
    if (!monitor.negotiated && name != "qmp_capabilities")
        throw Refusal("Expecting capabilities negotiation with 'qmp_capabilities'", "CommandNotFound");
    if (monitor.negotiated && name == "qmp_capabilities")
        throw Refusal("Capabilities negotiation is already complete, command ignored", "CommandNotFound");
    schema.check(name, arguments);
    if (const auto fault = faults.find("fail", name)) throw Refusal(fault->argument);
    const auto command = commands().find(name);
    if (command == commands().end()) throw Refusal("The fake does not play '" + name + "'");
    return command->second(*this, arguments, monitor);
}

Json Machine::answer(Monitor& monitor, const Json& command) {
    try {
        check_envelope(command);
        const std::string name = command.contains("exec-oob") ? command["exec-oob"] : command["execute"];
        faults.count(name);
        faults.die_if("exit-before", name);
        const Json result = run_command(monitor, name, command.value("arguments", Json::object()));
        faults.die_if("exit-after", name);
        return {{"return", result}};
    } catch (const Refusal& refusal) {
        return error_answer(refusal.kind, refusal.what());
    }
}

void Machine::execute(Monitor& monitor, const std::string& line) {
    const Json command = Json::parse(line, nullptr, false);
    if (command.is_discarded())
        return monitor.send(error_answer("GenericError", "JSON parse error, expecting value"));
    Json message = answer(monitor, command);
    if (!command.is_object()) return monitor.send(message);
    if (command.contains("id")) message["id"] = command["id"];
    const Json name = command.value("execute", Json());
    reply(name.is_string() ? name : "", [&monitor, message] { monitor.send(message); });
}

void Machine::reply(const std::string& name, const std::function<void()>& send) {
    if (faults.find("silent", name)) return;
    if (const auto fault = faults.find("late", name)) {
        late_.push_back({Clock::now() + std::chrono::milliseconds(std::stoi(fault->argument)), send});
        return;
    }
    send();
    faults.die_if("exit-after-answer", name);
}

void Machine::send_late_replies() {
    late_.remove_if([](const LateReply& reply) {
        if (reply.at > Clock::now()) return false;
        reply.send();
        return true;
    });
}

int Machine::poll_timeout() const {
    auto next = jobs.next_due();
    for (const auto& reply : late_)
        if (!next || reply.at < *next) next = reply.at;
    if (!next) return -1;
    return static_cast<int>(
        std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count()));
}

void Machine::wait_and_serve() {
    std::vector<pollfd> entries;
    for (const auto& monitor : monitors_)
        entries.push_back({monitor->poll_fd(), POLLIN, 0});
    entries.push_back({agent && running() ? agent->poll_fd() : -1, POLLIN, 0});
    entries.push_back({migration.done_fd(), POLLIN, 0});
    ::poll(entries.data(), entries.size(), poll_timeout());
    for (size_t i = 0; i < monitors_.size(); ++i)
        if (entries[i].revents)
            monitors_[i]->serve([&](const std::string& line) { execute(*monitors_[i], line); });
    if (entries[monitors_.size()].revents) serve_agent();
    if (entries.back().revents) finish_migration();
    jobs.advance();
    send_late_replies();
}

void Machine::serve_agent() {
    agent->serve([this](const std::string& command, const std::string& answer) {
        faults.count(command);
        reply(command, [this, answer] { agent->send(answer); });
    });
}

void Machine::take_state(const StreamState& state) const {
    if (state.rings != memory.rings())
        throw Refusal(
            "VQ 0 size 0x100 Guest index is inconsistent with Host index: its memory is of another time");
}

[[noreturn]] static void give_up(const std::string& words) {
    std::fprintf(stderr, "qemu-system-x86_64: %s\n", words.c_str());
    std::_Exit(1);
}

void Machine::finish_migration() {
    const std::string words = migration.collect();
    migration.error = words == "cancelled" ? "" : words;
    migration.status = words.empty() ? "completed" : words == "cancelled" ? "cancelled" : "failed";
    if (status == "inmigrate") {
        if (!words.empty()) give_up(words);
        try {
            take_state(migration.received_state());
        } catch (const Refusal& refusal) {
            give_up(refusal.what());
        }
        const std::string saved = migration.received_state().status;
        status = saved == "running" ? "paused" : saved;
        if (saved == "running" && autostart) start_cpus();
        return;
    }
    if (!words.empty() || enabled.contains("background-snapshot")) return;
    stop_cpus("postmigrate");
    status = "postmigrate";
    images_inactive = true;
}

void Machine::open_chardevs() {
    for (auto& [id, properties] : options.chardevs) {
        const std::string backend = properties["backend"];
        chardev_files[id] = backend == "socket" ? "unix:" + properties["path"] : backend;
        if (backend != "pty") continue;
        ptys_.emplace_back(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        ::grantpt(ptys_.back().get());
        ::unlockpt(ptys_.back().get());
        chardev_files[id] = std::string("pty:") + ::ptsname(ptys_.back().get());
    }
}

void Machine::open_monitors() {
    if (const auto chardev = Agent::chardev_of(options)) agent.emplace(*chardev);
    for (const auto& id : options.monitors) {
        if (!options.chardevs.contains(id)) throw Refusal("chardev \"" + id + "\" not found");
        monitors_.push_back(std::make_unique<Monitor>(options.chardevs[id], schema.version()));
    }
}

void Machine::run() {
    open_chardevs();
    open_monitors();
    if (!options.incoming.empty())
        status = "inmigrate";
    else if (autostart)
        start_cpus();
    while (!quitting)
        wait_and_serve();
    // Not exit(3): a thread may still be at work on the stream.
    std::fflush(nullptr);
    std::_Exit(0);
}

} // namespace fake
