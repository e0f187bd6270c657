#include "os/wake.h"

#include "os/failure.h"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace domsnap::os {

Wake::Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_) fail("make", "what wakes a thread");
}

void Wake::set() const {
    const uint64_t one = 1;
    (void)!::write(fd_.get(), &one, sizeof one);
}

void Wake::clear() const {
    uint64_t set = 0;
    (void)!::read(fd_.get(), &set, sizeof set);
}

} // namespace domsnap::os
