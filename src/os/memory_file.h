// A file that lies in the host's memory and has no name: tmpfs without a mount (memfd). It is there for as
// long as a process has it open or mapped, so neither a crash nor a reboot leaves anything of it. Once
// sealed, nobody can change it any more. Knows nothing of what is in it.
#pragma once

#include "os/fd.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace domsnap::os {

class MemoryFile {
  public:
    /// Zeros, which take no memory yet. name: what /proc shows of it. Throws io.
    MemoryFile(const std::string& name, uint64_t size);

    void write(const void* data, size_t size, uint64_t offset) const;
    /// The range's memory is taken now, not when somebody reads it first. Throws io if there is none.
    void allocate(uint64_t offset, uint64_t size) const;
    /// From now on it can neither be written to nor made longer or shorter, nor can holes be cut into it,
    /// whoever has it open and however. A private mapping can be written to as ever.
    void seal() const;

    const Fd& fd() const { return fd_; }

  private:
    std::string name_;
    Fd fd_;
};

} // namespace domsnap::os
