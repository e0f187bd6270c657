// What a guest has changed of the RAM that it has mapped from an image: copied while it stands still, and
// written into a new image when it runs again. Knows nothing of QEMU but where its blocks of RAM lie.
#pragma once

#include "memory/image.h"
#include "memory/image_writer.h"
#include "memory/placed_blocks.h"
#include "os/foreign_memory.h"
#include "os/scratch_memory.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace domsnap::memory {

/// Bytes that the process has of its own of these blocks by now: what a copy takes, give or take what the
/// guest does until it stands still.
uint64_t own_bytes(const os::ForeignMemory& process, const std::vector<PlacedBlock>& blocks);

class ChangedRam {
  public:
    /// whole: what the main block is a private mapping of. blocks: in its order.
    ChangedRam(const ImageReader& whole, const os::ProcessId& process, std::vector<PlacedBlock> blocks);

    /// Takes the memory for the copy, while the guest runs.
    void prepare() const;
    /// The process stands still. Two threads. Throws io.
    void copy();
    /// Writes all blocks into the image, after begin(): what was copied, and of the main block what the whole
    /// image has. Throws io, and corrupt if the latter is damaged. progress: in pages written of the copy.
    void write(ImageWriter& writer, const ImageReader* parent,
               const std::function<void(uint64_t done, uint64_t total)>& progress) const;
    /// As a stream lists them.
    std::vector<StreamBlock> stream_blocks() const;

  private:
    /// Pages one behind the other, in the process and in the copy.
    struct Run {
        size_t block = 0;
        uint64_t first = 0, count = 0, at = 0; ///< pages
    };
    std::vector<Run> find_runs() const;
    void put_copied(ImageWriter& writer, const Run& run) const;
    void put_others(ImageWriter& writer, const ImageReader* parent, size_t block, uint64_t first,
                    uint64_t end) const;
    void put_of_whole(ImageWriter& writer, uint64_t first, uint64_t end) const;
    bool is_of_whole(const ImageReader& parent, uint64_t page) const;

    const ImageReader& whole_;
    os::ForeignMemory process_;
    std::vector<PlacedBlock> blocks_;
    size_t main_;
    os::ScratchMemory copy_;
    std::vector<Run> runs_; ///< in order
};

} // namespace domsnap::memory
