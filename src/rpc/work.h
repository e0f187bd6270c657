// A long operation of the host as a job: progress and abort while it runs, an event to all when it has ended.
#pragma once

#include "rpc/domains.h"

#include <functional>

namespace domsnap::rpc {

/// Does the work with the control that belongs to the job. What it warns of goes to the log.
void as_job(Call& call, const DomainRef& domain, Operation operation,
            const std::function<void(const Control&)>& work);

} // namespace domsnap::rpc
