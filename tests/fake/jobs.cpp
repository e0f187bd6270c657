#include "jobs.h"

#include <algorithm>
#include <map>
#include <set>

namespace fake {

namespace {

Clock::time_point due(const Job& job) {
    if (job.speed == 0) return job.began;
    return job.began + std::chrono::milliseconds(job.total * 1000 / job.speed);
}

uint64_t progress_of(const Job& job) {
    if (job.status != "running" || job.speed == 0) return job.done;
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - job.began).count();
    return std::min(job.total, static_cast<uint64_t>(passed) * job.speed / 1000);
}

} // namespace

void Jobs::set(Job& job, const std::string& status) {
    job.status = status;
    emit_("JOB_STATUS_CHANGE", {{"id", job.id}, {"status", status}});
}

void Jobs::tell(const Job& job, const std::string& event) {
    if (!job.is_block_job()) return;
    Json data{{"device", job.id},
              {"type", job.type},
              {"len", job.total},
              {"offset", job.done},
              {"speed", job.speed}};
    if (!job.error.empty() && event == "BLOCK_JOB_COMPLETED") data["error"] = job.error;
    emit_(event, data);
}

void Jobs::start(Job job) {
    for (const Job& other : jobs_)
        if (other.id == job.id) throw Refusal("Job ID '" + job.id + "' already in use");
    if (job.is_block_job() && busy(job.node))
        throw Refusal("Node '" + job.node +
                      "' is busy: block device is in use by block job: " + type_on(job.node));
    jobs_.push_back(std::move(job));
    set(jobs_.back(), "created");
    set(jobs_.back(), "running");
}

bool Jobs::busy(const std::string& node) const { return !type_on(node).empty(); }

std::string Jobs::type_on(const std::string& node) const {
    for (const Job& job : jobs_)
        if (job.node == node && job.status != "concluded") return job.type;
    return {};
}

std::optional<Clock::time_point> Jobs::next_due() const {
    std::optional<Clock::time_point> next;
    for (const Job& job : jobs_)
        if (job.status == "running" && (!next || due(job) < *next)) next = due(job);
    return next;
}

void Jobs::advance() {
    for (Job& job : jobs_)
        if (job.status == "running" && due(job) <= Clock::now()) do_work(job);
    forget_dismissed();
}

void Jobs::do_work(Job& job) {
    try {
        if (const auto words = fault ? fault(job.type) : std::nullopt) throw Refusal(*words);
        job.work();
    } catch (const std::exception& failure) {
        return abort(job, failure.what(), false);
    }
    job.done = job.total;
    if (!job.completes_by_hand) return complete(job);
    set(job, "ready");
    tell(job, "BLOCK_JOB_READY");
}

void Jobs::complete(Job& job) {
    set(job, "waiting");
    set(job, "pending");
    if (job.auto_finalize) conclude(job);
}

void Jobs::conclude(Job& job) {
    if (job.finish) job.finish();
    tell(job, "BLOCK_JOB_COMPLETED");
    set(job, "concluded");
    if (job.auto_dismiss) set(job, "null");
}

void Jobs::abort(Job& job, const std::string& words, bool cancelled) {
    job.done = progress_of(job);
    set(job, "aborting");
    job.error = words;
    if (!job.is_block_job()) job.done = job.total;
    tell(job, cancelled ? "BLOCK_JOB_CANCELLED" : "BLOCK_JOB_COMPLETED");
    set(job, "concluded");
    if (job.auto_dismiss) set(job, "null");
}

void Jobs::forget_dismissed() {
    jobs_.remove_if([](const Job& job) { return job.status == "null"; });
}

Job& Jobs::get(const std::string& id) {
    for (Job& job : jobs_)
        if (job.id == id) return job;
    throw Refusal("Job not found");
}

void Jobs::verb(const std::string& verb, const std::string& id) {
    static const std::map<std::string, std::set<std::string>> taken_in = {
        {"cancel", {"created", "running", "paused", "ready", "standby", "waiting", "pending"}},
        {"complete", {"ready"}},
        {"finalize", {"pending"}},
        {"dismiss", {"concluded"}}};
    Job& job = get(id);
    if (!taken_in.at(verb).contains(job.status))
        throw Refusal("Job '" + id + "' in state '" + job.status + "' cannot accept command verb '" + verb +
                      "'");
    if (verb == "cancel") abort(job, "Operation canceled", true);
    if (verb == "complete") complete(job);
    if (verb == "finalize") conclude(job);
    if (verb == "dismiss") set(job, "null");
    forget_dismissed();
}

void Jobs::set_speed(const std::string& id, uint64_t speed) {
    for (Job& job : jobs_)
        if (job.id == id && job.is_block_job()) {
            job.speed = speed;
            return;
        }
    throw Refusal("Block job '" + id + "' not found", "DeviceNotActive");
}

Json Jobs::describe() const {
    Json list = Json::array();
    for (const Job& job : jobs_) {
        Json info{{"id", job.id},
                  {"type", job.type},
                  {"status", job.status},
                  {"current-progress", progress_of(job)},
                  {"total-progress", job.total}};
        if (!job.error.empty()) info["error"] = job.error;
        list.push_back(info);
    }
    return list;
}

Json Jobs::describe_block_jobs() const {
    Json list = Json::array();
    for (const Job& job : jobs_)
        if (job.is_block_job())
            list.push_back({{"device", job.id},
                            {"type", job.type},
                            {"status", job.status},
                            {"len", job.total},
                            {"offset", progress_of(job)},
                            {"speed", job.speed},
                            {"ready", job.status == "ready"},
                            {"busy", job.status == "running"},
                            {"paused", false},
                            {"io-status", "ok"},
                            {"auto-finalize", job.auto_finalize},
                            {"auto-dismiss", job.auto_dismiss}});
    return list;
}

} // namespace fake
