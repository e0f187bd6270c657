#include "engine/qemu_events.h"

#include "base/error.h"
#include "base/text.h"
#include "os/file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace domsnap::engine {

namespace {

std::optional<QemuEvent> event_in(const std::string& line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("event") || !json["event"].is_string()) return std::nullopt;
    QemuEvent event{json["event"].get<std::string>(), {}};
    const auto data = json.find("data");
    if (data == json.end() || !data->is_object()) return event;
    if (const auto guest = data->find("guest"); guest != data->end() && guest->is_boolean())
        event.detail = guest->get<bool>() ? "guest" : "host";
    return event;
}

} // namespace

std::string QemuEvents::new_text() {
    constexpr uint64_t most = 4 << 20; ///< a guest that resets in a loop writes without end
    const auto info = os::file_info(path_);
    if (!info || !info->is_regular) return {};
    if (info->inode != inode_ || info->size < offset_) {
        inode_ = info->inode;
        offset_ = 0;
        rest_.clear();
    }
    if (info->size - offset_ > most) offset_ = info->size - most;
    std::string text(info->size - offset_, '\0');
    if (text.empty()) return {};
    os::read_at(os::open_read(path_).get(), text.data(), text.size(), offset_, path_);
    offset_ = info->size;
    return text;
}

void QemuEvents::skip() { next(); }

std::vector<QemuEvent> QemuEvents::next() {
    try {
        rest_ += new_text();
    } catch (const Error&) {
        return {}; // replaced between two calls; the next look finds the new one
    }
    std::vector<QemuEvent> events;
    auto lines = text::split(rest_, '\n');
    rest_ = lines.empty() ? "" : lines.back();
    if (!lines.empty()) lines.pop_back();
    for (const auto& line : lines)
        if (auto event = event_in(line)) events.push_back(*std::move(event));
    return events;
}

} // namespace domsnap::engine
