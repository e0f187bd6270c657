#include "memory/page_status.h"

#include "memory/status_file.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(PageStatus::State, {{PageStatus::State::failed, "failed"},
                                                 {PageStatus::State::loading, "loading"},
                                                 {PageStatus::State::complete, "complete"},
                                                 {PageStatus::State::damaged, "damaged"}})

static PageStatus status_from(const json& object) {
    return {object.at("state").get<PageStatus::State>(),
            object.at("image").get<std::string>(),
            object.at("error").get<std::string>(),
            object.at("done").get<uint64_t>(),
            object.at("total").get<uint64_t>(),
            {object.at("pid").get<pid_t>(), object.at("start_ticks").get<uint64_t>()},
            {object.value("supervisor_pid", pid_t{0}), object.value("supervisor_start_ticks", uint64_t{0})}};
}

std::optional<PageStatus> read_page_status(const std::string& path) {
    std::optional<PageStatus> status;
    read_status_file(path, [&](const json& object) { status = status_from(object); });
    return status;
}

void write_page_status(const std::string& path, const PageStatus& status) {
    write_status_file(path, {{"state", status.state},
                             {"image", status.image},
                             {"error", status.error},
                             {"done", status.done},
                             {"total", status.total},
                             {"pid", status.server.pid},
                             {"start_ticks", status.server.start_ticks},
                             {"supervisor_pid", status.supervisor.pid},
                             {"supervisor_start_ticks", status.supervisor.start_ticks}});
}

} // namespace domsnap::memory
