// Why a QEMU ended, from the events that it wrote by itself.
#include "machine/process.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

/// SHUTDOWN is QEMU's last event: the end of the file is enough, however long the guest ran.
std::string end_of_events(const std::string& path) {
    const auto info = os::file_info(path);
    if (!info || !info->is_regular || info->size == 0) return {};
    const auto size = std::min<uint64_t>(info->size, 64 << 10);
    std::string text(size, '\0');
    os::read_at(os::open_read(path).get(), text.data(), size, info->size - size, path);
    return text;
}

/// QEMU's ShutdownCause (qapi/run-state.json).
std::string reason_of(const std::string& cause) {
    if (cause == "guest-shutdown" || cause == "guest-reset") return "shutdown";
    if (cause == "guest-panic") return "crashed";
    return cause.starts_with("host-") ? "destroyed" : "unknown";
}

std::string word_in(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string cause_in(const std::string& line) {
    const auto event = nlohmann::json::parse(line, nullptr, false); // the first and last line may be cut
    if (!event.is_object() || word_in(event, "event") != "SHUTDOWN") return {};
    const auto data = event.find("data");
    return data != event.end() && data->is_object() ? word_in(*data, "reason") : "";
}

} // namespace

std::string exit_reason(const RuntimeFiles& files) {
    std::string events;
    try {
        events = end_of_events(files.events());
    } catch (const Error&) {
        return "unknown";
    }
    if (events.empty()) return "unknown";
    auto lines = text::split(events, '\n');
    std::reverse(lines.begin(), lines.end());
    for (const auto& line : lines)
        if (const auto cause = cause_in(line); !cause.empty()) return reason_of(cause);
    return "crashed"; // it began to write and never said that it ends
}

} // namespace domsnap::machine
