// Long operations while they run: what domjobinfo shows and domjobabort stops. Time is the caller's clock.
#pragma once

#include "rpc/wire.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <domsnap/progress.h>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace domsnap::rpc {

/// virDomainJobOperation
enum class Operation : int32_t { start = 1, snapshot = 6, revert = 7, remove = 10 };
/// virDomainJobType
enum class JobType : int32_t { none = 0, unbounded = 2, completed = 3, failed = 4, cancelled = 5 };

struct JobStats {
    JobType type = JobType::none;
    Operation operation = Operation::snapshot;
    uint64_t elapsed_ms = 0;
    uint64_t memory_total = 0, memory_done = 0, disk_total = 0, disk_done = 0;
    JobParams params() const;
};

class Job {
  public:
    explicit Job(Operation operation) : operation_(operation), began_(std::chrono::steady_clock::now()) {}
    /// For the engine: progress comes in, the wish to stop goes out.
    Control control(std::function<void(const std::string&)> warning);
    void abort() { cancel_ = true; }
    bool aborted() const { return cancel_; }
    JobStats stats(JobType type) const;
    Operation operation() const { return operation_; }
    std::set<std::string> parts() const; ///< what it worked on: "memory", "vda", …

  private:
    void note(const Progress& progress);

    Operation operation_;
    std::chrono::steady_clock::time_point began_;
    CancelFlag cancel_ = false;
    std::atomic<uint64_t> memory_total_ = 0, memory_done_ = 0, disk_total_ = 0, disk_done_ = 0;
    mutable std::mutex mutex_; ///< of parts_
    std::set<std::string> parts_;
};

/// By domain. Several may be there at once: the first works, the others wait for the domain's lock.
class Jobs {
  public:
    using Key = Uuid;
    std::shared_ptr<Job> begin(const Key& domain, Operation operation);
    void end(const Key& domain, const std::shared_ptr<Job>& job, JobType how);
    std::shared_ptr<Job> running(const Key& domain) const; ///< nullptr if none
    void abort_all();
    /// The last that ended; forgotten once it was told, as libvirt does, unless it shall be kept.
    std::optional<JobStats> completed(const Key& domain, bool keep);

  private:
    mutable std::mutex mutex_;
    std::map<Key, std::deque<std::shared_ptr<Job>>> running_;
    std::map<Key, JobStats> completed_;
};

} // namespace domsnap::rpc
