// The guest's memory as QEMU has it: one private mapping, of nothing or of a file's first bytes, that others
// may read and write from outside.
#pragma once

#include "ram.h"

namespace fake {

class GuestMemory {
  public:
    /// file: "" = anonymous. Throws Refusal in QEMU's words.
    GuestMemory(RamBlock block, const std::string& file);
    ~GuestMemory();
    GuestMemory(const GuestMemory&) = delete;
    GuestMemory& operator=(const GuestMemory&) = delete;

    const RamBlock& block() const { return block_; }
    uint64_t address() const { return reinterpret_cast<uint64_t>(start_); }
    void write(uint64_t offset, const std::string& content);
    std::string read(uint64_t offset, uint64_t size) const;
    /// A first content, so that there is something to save: each page names its own offset.
    void fill(uint64_t page_count);
    /// As it is now.
    Ram copy() const;
    /// One number for all of it.
    std::string sum() const;
    /// What the guest's drivers and its devices must agree about, such as the rings of a virtio disk.
    std::string rings() const { return sum_of(read(0, 64)); }

  private:
    static std::string sum_of(const std::string& bytes);

    RamBlock block_;
    char* start_ = nullptr;
};

} // namespace fake
