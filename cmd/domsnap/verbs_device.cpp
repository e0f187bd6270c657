// The guest's console, screen and keys, and QEMU's monitor.
#include "groups.h"
#include "session.h"
#include "terminal.h"
#include "ui/keys.h"

#include <charconv>
#include <ctime>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace domsnap::cli {

static void console(Session& session, const Arguments& arguments) {
    const std::string domain = arguments.get("domain");
    const auto device = session.host().console(domain, arguments.get("devname"));
    session.say(fmt::format("Connected to domain '{}'\nEscape character is ^] (Ctrl + ])\n", domain));
    session.flush();
    relay_console(device.path, device.is_socket);
}

static std::string shown_answer(const std::string& answer, const Arguments& arguments) {
    if (arguments.has("hmp") || (!arguments.has("pretty") && !arguments.has("return-value"))) return answer;
    auto json = nlohmann::ordered_json::parse(answer, nullptr, false);
    if (json.is_discarded()) return answer;
    if (arguments.has("return-value")) {
        if (!json.is_object() || !json.contains("return"))
            throw Error(ErrorCode::refused_by_qemu,
                        fmt::format("no 'return' in the monitor's answer for domain '{}': {}",
                                    arguments.get("domain"), answer));
        json = json["return"];
    }
    return json.dump(arguments.has("pretty") ? 2 : -1);
}

static void qemu_monitor_command(Session& session, const Arguments& arguments) {
    const std::string command = fmt::format("{}", fmt::join(arguments.list("cmd"), " "));
    const auto answer =
        session.host().monitor_command(arguments.get("domain"), command, arguments.has("hmp"));
    session.print(shown_answer(answer, arguments) + "\n");
}

static std::string screenshot_name(const std::string& domain) {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d-%H:%M:%S", &parts);
    return fmt::format("./{}-{}.png", domain, text);
}

static void screenshot(Session& session, const Arguments& arguments) {
    const std::string domain = session.host().info(arguments.get("domain")).name;
    const std::string file = arguments.has("file") ? arguments.get("file") : screenshot_name(domain);
    const auto type = session.host().screenshot(domain, file);
    session.print(fmt::format("Screenshot saved to {}, with type of {}\n", file, type));
}

static int hold_time(const Arguments& arguments) {
    if (!arguments.has("holdtime")) return 0;
    const std::string text = arguments.get("holdtime");
    int milliseconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    if (error == std::errc{} && end == text.data() + text.size() && milliseconds >= 0) return milliseconds;
    throw UsageError(
        fmt::format("Numeric value '{}' for <holdtime> option is malformed or out of range", text));
}

static void send_key(Session& session, const Arguments& arguments) {
    const std::string codeset = arguments.has("codeset") ? arguments.get("codeset") : "linux";
    if (codeset != "linux")
        throw Error(ErrorCode::unsupported, fmt::format("unknown codeset: '{}'", codeset),
                    "use linux: KEY_A, KEY_LEFTCTRL, or their numbers");
    auto keys = arguments.list("keycode");
    for (auto& key : keys)
        key = ui::qemu_key(key);
    session.host().send_key(arguments.get("domain"), keys, hold_time(arguments));
}

static VncAddress require_display(Session& session, const std::string& domain) {
    const auto display = session.host().display(domain);
    if (!display)
        throw Error(ErrorCode::not_found, fmt::format("No graphical display found for domain '{}'", domain));
    return *display;
}

static void domdisplay(Session& session, const Arguments& arguments) {
    if (arguments.has("type") && arguments.get("type") != "vnc")
        throw Error(ErrorCode::not_found,
                    fmt::format("No graphical display of type '{}' found for domain '{}'",
                                arguments.get("type"), arguments.get("domain")));
    const auto display = require_display(session, arguments.get("domain"));
    if (!display.socket.empty()) return session.print(fmt::format("vnc+unix://{}\n", display.socket));
    session.print(fmt::format("vnc://{}:{}\n", display.host == "127.0.0.1" ? "localhost" : display.host,
                              display.port - 5900));
}

static void vncdisplay(Session& session, const Arguments& arguments) {
    const auto display = require_display(session, arguments.get("domain"));
    if (!display.socket.empty()) return session.print(display.socket + "\n");
    session.print(fmt::format("{}:{}\n", display.host, display.port - 5900));
}

std::vector<Verb> device_verbs() {
    return {
        {"console",
         "connect to the guest console",
         "Connect the virtual serial console for the guest. ^] ends it.",
         {domain_argument(), argument("devname", "character device name"),
          flag("force", "accepted; another console is never disconnected"), flag("safe", "accepted")},
         {},
         console},
        {"qemu-monitor-command",
         "QEMU Monitor Command",
         "Send a command to QEMU's monitor and print its answer.",
         {domain_argument(), flag("hmp", "command is in human monitor protocol"),
          flag("pretty", "pretty-print any qemu monitor protocol output"),
          flag("return-value", "extract the value of the 'return' key from the returned string"),
          required_list("cmd", "command")},
         {exclusive("hmp", "pretty"), exclusive("hmp", "return-value")},
         qemu_monitor_command},
        {"screenshot",
         "take a screenshot of a current domain console and store it into a file",
         "screenshot of a current domain console",
         {domain_argument(), argument("file", "where to store the screenshot")},
         {},
         screenshot},
        {"send-key",
         "Send keycodes to the guest",
         "Send keycodes (integers or symbolic names) to the guest",
         {domain_argument(), value("codeset", "the codeset of keycodes, default:linux"),
          value("holdtime", "the time (in milliseconds) how long the keys will be held"),
          required_list("keycode", "the key code")},
         {},
         send_key},
        {"domdisplay",
         "domain display connection URI",
         "Output the IP address and port number for the graphical display.",
         {domain_argument(), value("type", "select particular graphical display (vnc)")},
         {},
         domdisplay},
        {"vncdisplay",
         "vnc display",
         "Output the IP address and port number for the VNC display.",
         {domain_argument()},
         {},
         vncdisplay},
    };
}

} // namespace domsnap::cli
