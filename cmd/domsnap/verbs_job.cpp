// domjobinfo and domjobabort: the memory of a guest while it is being saved, whoever waits for it.
#include "groups.h"
#include "session.h"
#include "ui/jobs.h"

namespace domsnap::cli {

static void job_info(Session& session, const Arguments& arguments) {
    const auto domain = arguments.get("domain");
    const auto job =
        arguments.has("completed") ? session.host().completed_job(domain) : session.host().job(domain);
    if (session.json()) return session.print_document(ui::job_json(session.host().info(domain).name, job));
    session.print(ui::job_text(job));
}

static void job_abort(Session& session, const Arguments& arguments) {
    session.host().abort_job(arguments.get("domain"));
}

std::vector<Verb> job_verbs() {
    return {
        {"domjobinfo",
         "domain job information",
         "Shows the saving of a guest's memory for a snapshot, or with --completed what became of the last "
         "one.",
         {domain_argument(), flag("completed", "what became of the last job"),
          flag("keep-completed", "understood: it is always kept"),
          flag("anystats", "understood: failed jobs are always shown")},
         {},
         job_info},
        {"domjobabort",
         "abort active domain job",
         "Asks for the end of the saving of a guest's memory: the snapshot is taken back, the guest goes on. "
         "Returns at once.",
         {domain_argument()},
         {},
         job_abort},
    };
}

} // namespace domsnap::cli
