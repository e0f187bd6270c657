#include "rpc/work.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::rpc {

/// The merges of a delete are what libvirt calls block jobs.
static void tell_block_jobs(Service& service, const DomainRef& domain, const Job& job, JobType how) {
    constexpr int32_t commit = 3; ///< VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT
    if (job.operation() != Operation::remove || job.parts().empty()) return;
    const int32_t status = how == JobType::completed ? 0 : how == JobType::cancelled ? 2 : 1;
    try {
        for (const auto& disk : service.host.disks(key_of(domain)))
            if (job.parts().contains(disk.target))
                service.subscribers.block_job(domain, {disk.target, disk.source, commit, status});
    } catch (const Error&) {
        // The domain has gone meanwhile, and who listens hears that.
    }
}

static void finish(Service& service, const DomainRef& domain, const std::shared_ptr<Job>& job, JobType how) {
    service.jobs.end(domain.uuid, job, how);
    tell_block_jobs(service, domain, *job, how);
    service.subscribers.job_completed(domain, job->stats(how).params());
}

void as_job(Call& call, const DomainRef& domain, Operation operation,
            const std::function<void(const Control&)>& work) {
    Service& service = call.service();
    const auto job = service.jobs.begin(domain.uuid, operation);
    const auto warn = [&](const std::string& line) {
        service.log(Level::warning, fmt::format("{}: {} #{}: {}", call.client.name(), call.procedure,
                                                call.header.serial, text::printable(line)));
    };
    try {
        work(job->control(warn));
    } catch (...) {
        finish(service, domain, job, job->aborted() ? JobType::cancelled : JobType::failed);
        throw;
    }
    finish(service, domain, job, JobType::completed);
}

} // namespace domsnap::rpc
