#include "memory/byte_source.h"

#include "os/bulk.h"

#include <algorithm>
#include <cstring>

namespace domsnap::memory {

TextSource::TextSource(std::string_view text, size_t chunk) : left_(text), buffer_(headroom + chunk) {}

std::span<uint8_t> TextSource::next() {
    const size_t size = std::min(left_.size(), buffer_.size() - headroom);
    std::memcpy(buffer_.data() + headroom, left_.data(), size);
    left_.remove_prefix(size);
    return {buffer_.data() + headroom, size};
}

ReadAhead::ReadAhead(int fd) : fd_(fd) {
    for (size_t i = 0; i < chunk_count; ++i)
        free_.push_back({std::make_unique_for_overwrite<uint8_t[]>(headroom + chunk_size)});
    reader_ = std::thread([this] { read_all(); });
}

ReadAhead::~ReadAhead() {
    try {
        while (!next().empty()) {
        }
    } catch (...) {
        // The reading thread has ended; there is nothing left to wait for.
    }
    reader_.join();
}

void ReadAhead::read_all() {
    std::exception_ptr error;
    try {
        for (size_t got = chunk_size; got == chunk_size;) {
            Chunk chunk = take_free();
            got = chunk.size = os::read_chunk(fd_, chunk.memory.get() + headroom, chunk_size);
            give_filled(std::move(chunk));
        }
    } catch (...) {
        error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = error;
    changed_.notify_all();
}

ReadAhead::Chunk ReadAhead::take_free() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !free_.empty(); });
    Chunk chunk = std::move(free_.front());
    free_.pop_front();
    return chunk;
}

void ReadAhead::give_filled(Chunk chunk) {
    const std::lock_guard lock(mutex_);
    filled_.push_back(std::move(chunk));
    changed_.notify_all();
}

std::span<uint8_t> ReadAhead::next() {
    std::unique_lock lock(mutex_);
    if (current_.memory) free_.push_back(std::move(current_));
    current_ = {};
    changed_.notify_all();
    changed_.wait(lock, [&] { return ended_ || !filled_.empty(); });
    if (filled_.empty()) {
        if (error_) std::rethrow_exception(error_);
        return {};
    }
    current_ = std::move(filled_.front());
    filled_.pop_front();
    return {current_.memory.get() + headroom, current_.size};
}

} // namespace domsnap::memory
