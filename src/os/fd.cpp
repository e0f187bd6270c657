#include "os/fd.h"

#include <unistd.h>

namespace domsnap::os {

void Fd::reset(int fd) {
    // Not repeated on EINTR: Linux has closed the descriptor by then, and its number may be somebody else's
    // already.
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

} // namespace domsnap::os
