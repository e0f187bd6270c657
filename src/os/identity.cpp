#include "os/identity.h"

#include "os/failure.h"
#include "os/place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace domsnap::os {

static uint64_t nanoseconds(const statx_timestamp& time) {
    return time.tv_sec < 0 ? 0 : static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileIdentity> file_identity(const std::string& path) {
    struct statx found {};
    const Place place(path);
    const int flags = place.guarded() ? AT_SYMLINK_NOFOLLOW : 0;
    const auto look = [&](int folder, const char* name) {
        return ::statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &found);
    };
    if (at(place, look) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return std::nullopt;
        fail("look at", path);
    }
    return FileIdentity{.device = makedev(found.stx_dev_major, found.stx_dev_minor),
                        .inode = found.stx_ino,
                        .born = found.stx_mask & STATX_BTIME ? nanoseconds(found.stx_btime) : 0,
                        .modified = nanoseconds(found.stx_mtime),
                        .changed = nanoseconds(found.stx_ctime),
                        .size = found.stx_size,
                        .is_regular = S_ISREG(found.stx_mode),
                        .is_block = S_ISBLK(found.stx_mode)};
}

} // namespace domsnap::os
