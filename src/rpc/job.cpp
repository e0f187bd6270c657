// domjobinfo and domjobabort.
#include "rpc/domains.h"

#include <algorithm>

namespace domsnap::rpc {

namespace {

struct StatsResult {
    int32_t type = 0;
    JobParams params;
    DOMSNAP_WIRE(type, params)
};
struct InfoResult {
    int32_t type = 0;
    uint64_t elapsed = 0, left = 0;
    uint64_t data_total = 0, data_done = 0, data_left = 0;
    uint64_t memory_total = 0, memory_done = 0, memory_left = 0;
    uint64_t file_total = 0, file_done = 0, file_left = 0;
    DOMSNAP_WIRE(type, elapsed, left, data_total, data_done, data_left, memory_total, memory_done,
                 memory_left, file_total, file_done, file_left)
};

/// Of another process: the capture of a guest's memory is what can be seen from outside.
JobStats stats_of(const JobInfo& job) {
    JobStats stats;
    stats.type = job.state == JobInfo::State::running     ? JobType::unbounded
                 : job.state == JobInfo::State::completed ? JobType::completed
                 : job.state == JobInfo::State::cancelled ? JobType::cancelled
                                                          : JobType::failed;
    stats.elapsed_ms = job.elapsed_ms;
    stats.memory_total = std::max(job.memory_total, job.memory_done);
    stats.memory_done = job.memory_done;
    return stats;
}

std::optional<JobStats> running(Call& call, const DomainRef& domain) {
    // Without a word to QEMU, which may be busy with this very job.
    if (const auto job = call.service().jobs.running(domain.uuid)) return job->stats(JobType::unbounded);
    const auto others = call.host().job(key_of(domain)); // the domain must exist
    return others ? std::optional(stats_of(*others)) : std::nullopt;
}

std::optional<JobStats> ended(Call& call, const DomainRef& domain, bool keep) {
    if (const auto own = call.service().jobs.completed(domain.uuid, keep)) return own;
    const auto others = call.host().completed_job(key_of(domain));
    return others ? std::optional(stats_of(*others)) : std::nullopt;
}

StatsResult stats(Call& call, const DomainFlags& arguments) {
    constexpr uint32_t completed = 1, keep = 2;
    check_flags(arguments.flags, completed | keep, call.procedure);
    const auto found = arguments.flags & completed ? ended(call, arguments.domain, arguments.flags & keep)
                                                   : running(call, arguments.domain);
    if (!found) return {};
    return {static_cast<int32_t>(found->type), found->params()};
}

InfoResult info(Call& call, const OfDomain& arguments) {
    const auto found = running(call, arguments.domain);
    if (!found) return {};
    InfoResult result;
    result.type = static_cast<int32_t>(found->type);
    result.elapsed = found->elapsed_ms;
    result.memory_total = found->memory_total;
    result.memory_done = found->memory_done;
    result.memory_left = result.memory_total - result.memory_done;
    result.file_total = found->disk_total;
    result.file_done = found->disk_done;
    result.file_left = result.file_total - result.file_done;
    result.data_total = result.memory_total + result.file_total;
    result.data_done = result.memory_done + result.file_done;
    result.data_left = result.data_total - result.data_done;
    return result;
}

void abort(Call& call, const DomainRef& domain) {
    if (const auto job = call.service().jobs.running(domain.uuid)) return job->abort();
    try {
        call.host().abort_job(key_of(domain));
    } catch (const Error& error) {
        if (error.code() == ErrorCode::conflict)
            throw Refusal(Code::operation_invalid, Area::qemu, error.what());
        throw;
    }
}
Nothing abort_plain(Call& call, const OfDomain& arguments) {
    abort(call, arguments.domain);
    return {};
}
Nothing abort_flags(Call& call, const DomainFlags& arguments) {
    check_flags(arguments.flags, 0, call.procedure);
    abort(call, arguments.domain);
    return {};
}

} // namespace

Family job_family() {
    return {
        reads("domain_get_job_stats", stats),
        reads("domain_get_job_info", info),
        writes("domain_abort_job", abort_plain),
        writes("domain_abort_job_flags", abort_flags),
    };
}

} // namespace domsnap::rpc
