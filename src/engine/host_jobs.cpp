// Host: a guest's memory while it is being saved, seen from outside.
#include "base/clock.h"
#include "engine/saving.h"
#include "os/file.h"

#include <algorithm>
#include <domsnap/host.h>

namespace domsnap {

using namespace engine;

namespace {

using State = memory::CaptureStatus::State;

JobInfo::State state_of(State state) {
    if (state == State::complete) return JobInfo::State::completed;
    return state == State::cancelled ? JobInfo::State::cancelled : JobInfo::State::failed;
}

uint64_t elapsed(const memory::CaptureStatus& status) {
    const auto until = status.ended ? status.ended : since_epoch<std::chrono::milliseconds>();
    return static_cast<uint64_t>(std::max<int64_t>(until - status.began, 0));
}

} // namespace

std::optional<JobInfo> Host::job(const std::string& domain) const {
    const View view = view_of(folders_, domain);
    const auto found = saving(view);
    if (!found) return std::nullopt;
    JobInfo info;
    info.snapshot = found->snapshot.name;
    info.memory_done = found->done();
    info.memory_total = found->total();
    if (found->status) info.elapsed_ms = elapsed(*found->status);
    return info;
}

std::optional<JobInfo> Host::completed_job(const std::string& domain) const {
    const View view = view_of(folders_, domain);
    const auto status = memory::read_capture_status(view.files().capture());
    if (!status || status->goes_on()) return std::nullopt;
    JobInfo info{state_of(status->state), status->snapshot, status->error};
    if (status->state == State::capturing) info.error = "the process that saved the memory was killed";
    info.elapsed_ms = elapsed(*status);
    info.memory_done = status->done;
    info.memory_total = status->total;
    return info;
}

void Host::abort_job(const std::string& domain) {
    const View view = view_of(folders_, domain);
    const auto found = saving(view);
    if (!found)
        throw Error(ErrorCode::conflict, "Requested operation is not valid: no job is active on the domain");
    os::write_file(view.files().capture_abort(), found->image);
}

} // namespace domsnap
