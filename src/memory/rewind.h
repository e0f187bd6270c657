// The RAM of a process made that of a memory image again, by writing back the pages that differ. Only the
// main block: the small ones come with the device state (device_stream()). First all is compared, and
// what will be written is verified; nothing of the process is touched until then. Knows nothing of QEMU but
// that its guest must stand still meanwhile.
#pragma once

#include "memory/image.h"
#include "memory/ram_origin.h"
#include "os/foreign_memory.h"

#include <cstdint>
#include <vector>

namespace domsnap::memory {

class Rewind {
  public:
    /// ram: where the main block lies in the process; copy: what may be mapped there in the place of an
    /// image's file. Throws unsupported if no mapping there is as large, or if others share it.
    Rewind(const ImageReader& image, const os::ForeignMemory& process, uint64_t ram,
           const std::optional<RamCopy>& copy = {});

    /// How many pages differ. Reads the pages that the process has of its own and their counterparts, in two
    /// threads; each that differs is verified. Throws corrupt: then nothing may be written.
    uint64_t compare();
    /// Writes what compare() found. Throws corrupt, io: then the RAM is neither the one nor the other.
    void write() const;

    uint64_t compared() const { return compared_; } ///< pages that had to be read

  private:
    uint64_t pages() const { return differs_.size(); }
    void find_own_pages();
    void look_at_upper_layers();
    void compare_chunk(uint64_t first, uint64_t count);
    void compare_run(uint64_t first, uint64_t count, bool data);
    void write_chunk(uint64_t first, uint64_t count) const;

    const ImageReader& image_;
    const os::ForeignMemory& process_;
    uint64_t ram_;
    size_t block_ = 0;
    /// What is not the process's own is the image's, or of the file at its chain's end.
    bool is_of_image_ = false;
    bool others_are_zero_ = true;  ///< and what is neither reads as zeros
    std::vector<uint8_t> look_;    ///< by page: it must be read
    std::vector<uint8_t> differs_; ///< by page
    uint64_t compared_ = 0;
};

} // namespace domsnap::memory
