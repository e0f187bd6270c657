#include "memory/capture_status.h"

#include "memory/status_file.h"

#include <nlohmann/json.hpp>

namespace domsnap::memory {

using nlohmann::json;

NLOHMANN_JSON_SERIALIZE_ENUM(CaptureStatus::State, {{CaptureStatus::State::failed, "failed"},
                                                    {CaptureStatus::State::capturing, "capturing"},
                                                    {CaptureStatus::State::complete, "complete"},
                                                    {CaptureStatus::State::cancelled, "cancelled"}})

static CaptureStatus status_from(const json& object) {
    CaptureStatus status;
    status.state = object.at("state").get<CaptureStatus::State>();
    status.image = object.at("image").get<std::string>();
    status.snapshot = object.at("snapshot").get<std::string>();
    status.error = object.at("error").get<std::string>();
    status.hint = object.at("hint").get<std::string>();
    status.done = object.at("done").get<uint64_t>();
    status.total = object.at("total").get<uint64_t>();
    status.began = object.at("began").get<int64_t>();
    status.ended = object.at("ended").get<int64_t>();
    status.process = {object.at("pid").get<pid_t>(), object.at("start_ticks").get<uint64_t>()};
    status.untold = object.at("untold").get<bool>();
    return status;
}

std::optional<CaptureStatus> read_capture_status(const std::string& path) {
    std::optional<CaptureStatus> status;
    read_status_file(path, [&](const json& object) { status = status_from(object); });
    return status;
}

void write_capture_status(const std::string& path, const CaptureStatus& status) {
    write_status_file(path, {{"state", status.state},
                             {"image", status.image},
                             {"snapshot", status.snapshot},
                             {"error", status.error},
                             {"hint", status.hint},
                             {"done", status.done},
                             {"total", status.total},
                             {"began", status.began},
                             {"ended", status.ended},
                             {"pid", status.process.pid},
                             {"start_ticks", status.process.start_ticks},
                             {"untold", status.untold}});
}

} // namespace domsnap::memory
