#include "os/file_system.h"

#include "os/failure.h"

#include <sys/statvfs.h>

namespace domsnap::os {

FileSystem file_system_of(const std::string& folder) {
    struct statvfs fs {};
    if (::statvfs(folder.c_str(), &fs) != 0) fail("look at", folder);
    return {uint64_t{fs.f_blocks} * fs.f_frsize, uint64_t{fs.f_bavail} * fs.f_frsize};
}

} // namespace domsnap::os
