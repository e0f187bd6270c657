#include "workers.h"

#include <chrono>
#include <thread>

namespace domsnap::server {

static constexpr std::chrono::seconds patience{30};

Workers::~Workers() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    work_.notify_all();
    gone_.wait(lock, [&] { return threads_ == 0; });
}

void Workers::run(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    if (waiting_ >= queue_.size() || threads_ >= most_) return work_.notify_one();
    std::thread([this] { live(); }).detach(); // the destructor waits for it
    ++threads_;
}

bool Workers::idle() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty() && waiting_ == threads_;
}

void Workers::live() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++waiting_;
        const bool called = work_.wait_for(lock, patience, [&] { return ending_ || !queue_.empty(); });
        --waiting_;
        if (!called || queue_.empty()) break;
        const auto work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work();
        lock.lock();
    }
    --threads_;
    gone_.notify_all();
}

} // namespace domsnap::server
