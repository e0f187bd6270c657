// A device or socket that is read and written by two threads, until a third says enough.
#pragma once

#include "os/fd.h"

#include <string>
#include <string_view>

namespace domsnap::os {

class Duplex {
  public:
    /// A terminal device. Errors: not_found, io.
    static Duplex open_device(const std::string& path);
    explicit Duplex(Fd fd);
    /// Waits for bytes; empty at the end, or when interrupted.
    std::string read(size_t max) const;
    /// Waits until all is taken; false when the other side is gone, or when interrupted.
    bool write(std::string_view bytes) const;
    /// Ends the waiting of both, now and from now on; from any thread.
    void interrupt() const;

  private:
    bool wait(short wanted) const;

    Fd fd_, wake_read_, wake_write_;
};

} // namespace domsnap::os
