#include "os/image_lock.h"

#include "os/failure.h"

#include <cerrno>
#include <fcntl.h>

namespace domsnap::os {

namespace {

constexpr off_t first_used = 100, first_unshared = 200, permissions = 100, write_permission = 1;

struct flock range(short type, off_t start, off_t length) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    return lock;
}

bool take(const Fd& fd, struct flock lock, const std::string& path) {
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0 || errno == EINVAL || errno == ENOLCK) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    fail("lock", path);
}

bool is_written(const Fd& fd, const std::string& path) {
    auto lock = range(F_WRLCK, first_used + write_permission, 1);
    if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) {
        if (errno == EINVAL || errno == ENOLCK) return false;
        fail("look at the locks of", path);
    }
    return lock.l_type != F_UNLCK;
}

} // namespace

bool lock_image(const Fd& fd, ImageUse use, const std::string& path_for_messages) {
    if (use == ImageUse::writes)
        return take(fd, range(F_WRLCK, first_used, first_unshared + permissions - first_used),
                    path_for_messages);
    // First ours, then the look: of two that begin at once one at least sees the other.
    return take(fd, range(F_RDLCK, first_unshared + write_permission, 1), path_for_messages) &&
           !is_written(fd, path_for_messages);
}

} // namespace domsnap::os
