// Background jobs: their states, the verbs that each state takes, and the events that tell of them.
#pragma once

#include "refusal.h"

#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>

namespace fake {

using Clock = std::chrono::steady_clock;

struct Job {
    std::string id, type, status = "created", error;
    std::string node; ///< of a block job; "" for snapshot-*
    bool auto_finalize = true, auto_dismiss = false;
    bool completes_by_hand = false; ///< an active commit: "ready" until job-complete
    uint64_t total = 1, done = 0, speed = 0;
    Clock::time_point began = Clock::now();
    std::function<void()> work;   ///< on the files; throws Refusal
    std::function<void()> finish; ///< on the graph, once it completes
    bool is_block_job() const { return !node.empty(); }
};

class Jobs {
  public:
    using Emit = std::function<void(const std::string&, const Json&)>;
    explicit Jobs(Emit emit) : emit_(std::move(emit)) {}

    void start(Job job); ///< Throws Refusal if the id is taken or the node is busy.
    void advance();      ///< Does the work of those that are due.
    std::optional<Clock::time_point> next_due() const;
    void verb(const std::string& verb, const std::string& id);
    void set_speed(const std::string& id, uint64_t speed);
    bool busy(const std::string& node) const;
    std::string type_on(const std::string& node) const;
    Json describe() const;
    Json describe_block_jobs() const;
    /// Asked when a job's work is due: the words with which it shall fail.
    std::function<std::optional<std::string>(const std::string& type)> fault;

  private:
    void set(Job& job, const std::string& status);
    void tell(const Job& job, const std::string& event);
    void conclude(Job& job);
    void abort(Job& job, const std::string& words, bool cancelled);
    void do_work(Job& job);
    void complete(Job& job);
    void forget_dismissed();
    Job& get(const std::string& id);

    Emit emit_;
    std::list<Job> jobs_;
};

} // namespace fake
