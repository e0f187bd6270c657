// Threads that carry calls out. They may wait for hours on a domain's lock, so there are as many as are
// needed, within a bound; those without work go.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace domsnap::server {

class Workers {
  public:
    explicit Workers(unsigned most) : most_(most) {}
    /// Ends when all that was given is done.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    void run(std::function<void()> work); ///< which must not throw
    bool idle() const;

  private:
    void live();

    unsigned most_, threads_ = 0, waiting_ = 0;
    bool ending_ = false;
    std::deque<std::function<void()>> queue_;
    mutable std::mutex mutex_;
    std::condition_variable work_, gone_;
};

} // namespace domsnap::server
