// Streams into image files and back, for the tests.
#pragma once

#include "../os/scratch.h"
#include "memory/capture.h"
#include "memory/image.h"
#include "os/file.h"
#include "os/socket.h"
#include "streams.h"

#include <string>
#include <thread>

namespace domsnap::memory {

inline const ImageIdentity some_identity{.domain_uuid = "c7a5fdbd-cdaf-9455-926a-d65c16db1809",
                                         .domain_hash = "0123456789abcdef",
                                         .machine = "pc-q35-7.2",
                                         .ram_size = 0,
                                         .qemu_version = "7.2.22",
                                         .created = 1'700'000'000};

/// The writer's end of a pipe, fed by a thread. Its destructor waits until all was read.
class Feeder {
  public:
    explicit Feeder(std::string bytes) : Feeder(std::move(bytes), os::make_pipe()) {}
    ~Feeder() { thread_.join(); }
    int fd() const { return read_end_.get(); }

  private:
    Feeder(std::string bytes, std::pair<os::Fd, os::Fd> ends)
        : read_end_(std::move(ends.first)), thread_([bytes = std::move(bytes), out = std::move(ends.second)] {
              os::write_all(out.get(), bytes.data(), bytes.size(), "the pipe");
          }) {}
    os::Fd read_end_;
    std::thread thread_;
};

/// The stream becomes a new file at path; parent: the image that it rests on, or "".
inline CaptureResult capture(const std::string& stream, const std::string& path,
                             const std::string& parent = {}) {
    const os::Fd image = os::create_exclusive(path);
    const Feeder feeder(stream);
    return capture_stream(feeder.fd(), image, path, some_identity, {}, parent);
}

inline ImageReader image_of(const std::string& stream, const std::string& path,
                            const std::string& parent = {}) {
    const CaptureResult result = capture(stream, path, parent);
    EXPECT_TRUE(result.complete) << result.error;
    return ImageReader::open(path);
}

/// Why the image cannot be opened.
inline std::string refusal(const std::string& path, ErrorCode code = ErrorCode::corrupt) {
    return error_of(code, [&] { ImageReader::open(path); }).what();
}

/// Somebody changes one bit.
inline void flip(const std::string& path, uint64_t at) {
    char byte;
    const os::Fd file = os::open_read_write(path);
    os::read_at(file.get(), &byte, 1, at, path);
    byte = static_cast<char>(byte ^ (1 << at % 8));
    os::write_at(file.get(), &byte, 1, at, path);
}

/// The image as an ordinary stream.
inline std::string stream_of(const ImageReader& image) {
    auto [in, out] = os::make_pipe();
    std::string bytes;
    std::thread reader([&bytes, fd = in.get()] {
        for (std::string more; !(more = os::read_some(fd, 1 << 20)).empty();)
            bytes += more;
    });
    try {
        write_stream(image, out.get(), {});
    } catch (...) {
        out.reset();
        reader.join();
        throw;
    }
    out.reset();
    reader.join();
    return bytes;
}

inline std::string content_of(const std::string& path) { return os::read_file(path, uint64_t{1} << 30); }

} // namespace domsnap::memory
