// A migration stream as text, piece by piece: what an eager restore and a postcopy source both send. Does no
// I/O, and does not know which page is sent when.
#pragma once

#include "memory/image.h"
#include "memory/stream.h"

#include <string>
#include <string_view>

namespace domsnap::memory {

class StreamText {
  public:
    explicit StreamText(const ImageReader& image) : image_(image) {}

    std::string& bytes() { return bytes_; }

    void header() { bytes_ += image_.stream_header(); }
    /// The START section of RAM, whole: the list of blocks.
    void start_of_ram();
    void begin_ram(wire::SectionType type);
    void end_ram();
    /// Between begin_ram and end_ram, in any order.
    void zero(size_t block, uint64_t page);
    void data(size_t block, uint64_t page, const char* content); ///< page_size bytes
    void command(wire::Command command, std::string_view data = {});
    /// The device state and what stands behind it, to the stream's end.
    void devices_and_end();

  private:
    void name(const std::string& text);
    void record(size_t block, uint64_t page, uint64_t flag);

    const ImageReader& image_;
    std::string bytes_;
    size_t block_ = max_blocks; ///< of the last record in this section; max_blocks: none yet
};

/// One counted name, as the stream and its commands have it.
std::string counted(std::string_view name);

} // namespace domsnap::memory
