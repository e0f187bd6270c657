#include "agent.h"

#include <sys/socket.h>
#include <unistd.h>

namespace fake {

namespace {

constexpr char delimiter = '\xff'; // qemu-ga's, before the answer to guest-sync-delimited

std::string text_of(const Json& answer) { return answer.dump() + "\n"; }

} // namespace

std::optional<Properties> Agent::chardev_of(const Options& options) {
    for (const Json& device : options.devices) {
        if (device.value("name", "") != "org.qemu.guest_agent.0") continue;
        const auto chardev = options.chardevs.find(device.value("chardev", ""));
        if (chardev != options.chardevs.end() && chardev->second.contains("fd")) return chardev->second;
    }
    return std::nullopt;
}

Agent::Agent(const Properties& chardev) : door_(std::stoi(chardev.at("fd"))) {}

std::string Agent::answer(const std::string& command, const Json& arguments) {
    if (command == "guest-sync-delimited") return delimiter + text_of({{"return", arguments.at("id")}});
    if (command == "guest-fsfreeze-status") return text_of({{"return", frozen_ ? "frozen" : "thawed"}});
    const bool freeze = command == "guest-fsfreeze-freeze";
    if (!freeze && command != "guest-fsfreeze-thaw")
        return text_of(
            {{"error",
              {{"class", "CommandNotFound"}, {"desc", "The command " + command + " has not been found"}}}});
    const int changed = freeze != frozen_; // of its one file system
    frozen_ = freeze;
    return text_of({{"return", changed}});
}

void Agent::take(const std::string& line,
                 const std::function<void(const std::string&, const std::string&)>& reply) {
    const Json command = Json::parse(line.substr(line.rfind(delimiter) + 1), nullptr, false);
    if (!command.is_object()) return;
    const std::string name = command.value("execute", "");
    reply(name, answer(name, command.value("arguments", Json::object())));
}

void Agent::serve(const std::function<void(const std::string&, const std::string&)>& reply) {
    if (!client_) {
        client_.reset(::accept4(door_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        unread_.clear();
        return;
    }
    char bytes[4096];
    const ssize_t count = ::read(client_.get(), bytes, sizeof bytes);
    if (count <= 0) return client_.reset();
    unread_.append(bytes, static_cast<size_t>(count));
    for (size_t end = 0; (end = unread_.find('\n')) != std::string::npos;) {
        const auto line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        take(line, reply);
    }
}

void Agent::send(const std::string& answer) {
    // A client that has left gets nothing, and the next one not what was meant for it.
    if (client_) (void)!::send(client_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
}

} // namespace fake
