#include "rpc/jobs.h"

#include <algorithm>

namespace domsnap::rpc {

void Job::note(const Progress& progress) {
    const bool memory = progress.what.find("memory") != std::string::npos; // "checking memory", too
    (memory ? memory_done_ : disk_done_) = progress.done;
    (memory ? memory_total_ : disk_total_) = std::max(progress.total, progress.done);
    const std::lock_guard lock(mutex_);
    parts_.insert(progress.what);
}

std::set<std::string> Job::parts() const {
    const std::lock_guard lock(mutex_);
    return parts_;
}

Control Job::control(std::function<void(const std::string&)> warning) {
    Control control;
    control.progress = [this](const Progress& progress) { note(progress); };
    control.warning = std::move(warning);
    control.cancel = &cancel_;
    return control;
}

JobStats Job::stats(JobType type) const {
    JobStats stats;
    stats.type = type;
    stats.operation = operation_;
    const auto elapsed = std::chrono::steady_clock::now() - began_;
    stats.elapsed_ms =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
    stats.memory_total = memory_total_;
    stats.memory_done = std::min<uint64_t>(memory_done_, stats.memory_total);
    stats.disk_total = disk_total_;
    stats.disk_done = std::min<uint64_t>(disk_done_, stats.disk_total);
    return stats;
}

JobParams JobStats::params() const {
    JobParams params;
    const auto number = [&](const char* name, uint64_t value) { params.push_back({name, value}); };
    const auto three = [&](const std::string& of, uint64_t total, uint64_t done) {
        number((of + "_total").c_str(), total);
        number((of + "_processed").c_str(), done);
        number((of + "_remaining").c_str(), total - done);
    };
    params.push_back({"operation", static_cast<int32_t>(operation)});
    number("time_elapsed", elapsed_ms);
    if (type != JobType::unbounded) params.push_back({"success", type == JobType::completed});
    three("data", memory_total + disk_total, memory_done + disk_done);
    three("memory", memory_total, memory_done);
    three("disk", disk_total, disk_done);
    return params;
}

std::shared_ptr<Job> Jobs::begin(const Key& domain, Operation operation) {
    auto job = std::make_shared<Job>(operation);
    const std::lock_guard lock(mutex_);
    running_[domain].push_back(job);
    return job;
}

void Jobs::end(const Key& domain, const std::shared_ptr<Job>& job, JobType how) {
    const auto stats = job->stats(how);
    const std::lock_guard lock(mutex_);
    auto& queue = running_[domain];
    queue.erase(std::remove(queue.begin(), queue.end(), job), queue.end());
    if (queue.empty()) running_.erase(domain);
    completed_[domain] = stats;
}

std::shared_ptr<Job> Jobs::running(const Key& domain) const {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(domain);
    return found == running_.end() ? nullptr : found->second.front();
}

void Jobs::abort_all() {
    const std::lock_guard lock(mutex_);
    for (const auto& [domain, queue] : running_)
        for (const auto& job : queue)
            job->abort();
}

std::optional<JobStats> Jobs::completed(const Key& domain, bool keep) {
    const std::lock_guard lock(mutex_);
    const auto found = completed_.find(domain);
    if (found == completed_.end()) return std::nullopt;
    const auto stats = found->second;
    if (!keep) completed_.erase(found);
    return stats;
}

} // namespace domsnap::rpc
