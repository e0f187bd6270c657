// Where a parser gets its bytes: chunk by chunk, each with room in front for what was left of the one before,
// so that a page that spans two chunks is the only one to be copied. Does not know what the bytes mean.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

namespace domsnap::memory {

class ByteSource {
  public:
    /// Writable bytes in front of each chunk.
    static constexpr size_t headroom = 8192;

    virtual ~ByteSource() = default;
    /// The next bytes, empty at the end; valid until the next call. Blocks. Error: io.
    virtual std::span<uint8_t> next() = 0;
};

/// Bytes that are there already, in chunks of the given size: for tests and fuzzing.
class TextSource : public ByteSource {
  public:
    explicit TextSource(std::string_view text, size_t chunk = 1 << 20);
    std::span<uint8_t> next() override;

  private:
    std::string_view left_;
    std::vector<uint8_t> buffer_;
};

/// Reads a descriptor in a thread of its own, some MiB ahead, so that the copy out of the pipe and the copy
/// into the file run side by side. Its destructor waits for the stream's end: the writer must be let finish.
class ReadAhead : public ByteSource {
  public:
    explicit ReadAhead(int fd);
    ~ReadAhead() override;
    std::span<uint8_t> next() override;

  private:
    static constexpr size_t chunk_size = 1 << 20, chunk_count = 8;
    struct Chunk {
        std::unique_ptr<uint8_t[]> memory;
        size_t size = 0;
    };
    void read_all();
    Chunk take_free();
    void give_filled(Chunk chunk);

    int fd_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Chunk> free_, filled_;
    Chunk current_;
    bool ended_ = false;
    std::exception_ptr error_;
    std::thread reader_;
};

} // namespace domsnap::memory
