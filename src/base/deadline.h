// A moment by which a blocking call must have returned. Time is a parameter: nobody sleeps for a guessed
// while.
#pragma once

#include <algorithm>
#include <chrono>

namespace domsnap {

class Deadline {
  public:
    using Clock = std::chrono::steady_clock;

    static Deadline after(std::chrono::milliseconds wait) { return Deadline(Clock::now() + wait); }
    static Deadline never() { return Deadline(Clock::time_point::max()); }

    bool passed() const { return at_ != Clock::time_point::max() && Clock::now() >= at_; }
    /// Milliseconds left for poll(2): 0 when passed, at most one hour.
    int poll_ms() const {
        if (at_ == Clock::time_point::max()) return 3'600'000;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
        return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
    }
    Deadline or_sooner(std::chrono::milliseconds wait) const {
        return Deadline(std::min(at_, Clock::now() + wait));
    }

  private:
    explicit Deadline(Clock::time_point at) : at_(at) {}
    Clock::time_point at_;
};

} // namespace domsnap
