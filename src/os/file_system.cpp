#include "os/file_system.h"

#include "base/text.h"
#include "os/failure.h"

#include <optional>
#include <sys/statvfs.h>

namespace domsnap::os {

static std::optional<FileSystem> look(const std::string& path) {
    struct statvfs fs {};
    if (::statvfs(path.c_str(), &fs) != 0) return std::nullopt;
    return FileSystem{uint64_t{fs.f_blocks} * fs.f_frsize, uint64_t{fs.f_bavail} * fs.f_frsize};
}

FileSystem file_system_of(const std::string& folder) {
    if (const auto found = look(folder)) return *found;
    fail("look at", folder);
}

uint64_t free_space(const std::string& path) {
    for (std::string at = path;; at = text::folder_of(at)) {
        if (const auto found = look(at)) return found->available;
        if ((errno != ENOENT && errno != ENOTDIR) || at == "/" || at == ".")
            fail("ask for the free space at", at);
    }
}

} // namespace domsnap::os
