#include "memory/page_status.h"

#include "base/text.h"
#include "os/file.h"

#include <domsnap/error.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(PageStatus::State, {{PageStatus::State::failed, "failed"},
                                                 {PageStatus::State::loading, "loading"},
                                                 {PageStatus::State::complete, "complete"},
                                                 {PageStatus::State::damaged, "damaged"}})

static PageStatus status_from(const json& object, const std::string& path) {
    if (object.at("version").get<int>() != 1)
        throw Error(ErrorCode::unsupported, fmt::format("{} was written by a newer domsnap", path));
    return {object.at("state").get<PageStatus::State>(),
            object.at("image").get<std::string>(),
            object.at("error").get<std::string>(),
            object.at("done").get<uint64_t>(),
            object.at("total").get<uint64_t>(),
            {object.at("pid").get<pid_t>(), object.at("start_ticks").get<uint64_t>()},
            {object.value("supervisor_pid", pid_t{0}), object.value("supervisor_start_ticks", uint64_t{0})}};
}

std::optional<PageStatus> read_page_status(const std::string& path) {
    const auto text = os::read_own_file(path, 64 << 10);
    if (!text) return std::nullopt;
    try {
        return status_from(json::parse(*text), path);
    } catch (const json::exception& error) {
        throw Error(ErrorCode::corrupt,
                    fmt::format("{} cannot be read: {}", text::printable(path), error.what()));
    }
}

void write_page_status(const std::string& path, const PageStatus& status) {
    const json object{{"version", 1},
                      {"state", status.state},
                      {"image", status.image},
                      {"error", status.error},
                      {"done", status.done},
                      {"total", status.total},
                      {"pid", status.server.pid},
                      {"start_ticks", status.server.start_ticks},
                      {"supervisor_pid", status.supervisor.pid},
                      {"supervisor_start_ticks", status.supervisor.start_ticks}};
    os::write_file(path, object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

} // namespace domsnap::memory
