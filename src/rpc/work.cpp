#include "rpc/work.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::rpc {

static void finish(Service& service, const DomainRef& domain, const std::shared_ptr<Job>& job, JobType how) {
    service.jobs.end(domain.uuid, job, how);
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
