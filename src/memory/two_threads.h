// Work on many pages of a guest that stands still: both CPUs of the smallest host are free. Private to the
// room.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>

namespace domsnap::memory {

/// work(first, count) for all of [0, items), at most so many at once, in two threads. The first exception
/// ends it and is thrown.
template <class Work>
void in_two_threads(uint64_t items, uint64_t at_once, Work work) {
    std::atomic<uint64_t> next = 0;
    const auto take_chunks = [&] {
        for (uint64_t first = next.fetch_add(at_once); first < items; first = next.fetch_add(at_once))
            work(first, std::min(at_once, items - first));
    };
    auto other = std::async(std::launch::async, take_chunks);
    try {
        take_chunks();
    } catch (...) {
        next = items;
        other.wait();
        throw;
    }
    other.get();
}

} // namespace domsnap::memory
