// How a long operation tells its caller where it is, and how the caller asks it to stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace domsnap {

/// Where a long step is. done and total are bytes; total is 0 while it is not known.
struct Progress {
    std::string what; ///< "memory", "vda", …
    uint64_t done = 0;
    uint64_t total = 0;
};

/// Called now and then from the thread that called domsnap; must return soon and must not throw.
using ProgressSink = std::function<void(const Progress&)>;

/// Set by the user's Ctrl-C (a signal handler may set it). Long steps look at it and end cleanly with
/// ErrorCode::cancelled where nothing irrevocable has begun.
using CancelFlag = std::atomic<bool>;

/// What every long call is given. All members may be left empty.
struct Control {
    ProgressSink progress;
    std::function<void(const std::string&)> warning; ///< one line each, in the user's words
    const CancelFlag* cancel = nullptr;

    bool cancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
    void report(const std::string& what, uint64_t done, uint64_t total) const {
        if (progress) progress({what, done, total});
    }
    void warn(const std::string& line) const {
        if (warning) warning(line);
    }
};

} // namespace domsnap
