#include "os/failure.h"

#include "base/text.h"

#include <cstring>
#include <fmt/format.h>
#include <sys/statvfs.h>

namespace domsnap::os {

static ErrorCode code_of(int error_number) {
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return ErrorCode::not_found;
    case EEXIST:
    case EADDRINUSE:
        return ErrorCode::conflict;
    default:
        return ErrorCode::io;
    }
}

static std::string space_hint(const std::string& path) {
    struct statvfs fs {};
    if (::statvfs(path.c_str(), &fs) != 0 && ::statvfs(text::folder_of(path).c_str(), &fs) != 0)
        return "free some space on its file system";
    return fmt::format("{} are left on its file system: free some space",
                       text::human_size(uint64_t{fs.f_bavail} * fs.f_frsize));
}

static std::string hint_of(int error_number, const std::string& path) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return space_hint(path);
    case EACCES:
    case EPERM:
        return "check the owner and the permissions of the file and of its folders";
    case ELOOP:
        return "a symbolic link is in the way: in its own folders domsnap follows none";
    case EROFS:
        return "the file system is mounted read-only";
    default:
        return {};
    }
}

Error failure(const std::string& action, const std::string& path, int error_number) {
    return {code_of(error_number),
            fmt::format("cannot {} '{}': {}", action, text::printable(path), std::strerror(error_number)),
            hint_of(error_number, path)};
}

void refuse_size(const std::string& path, uint64_t max_bytes) {
    throw Error(ErrorCode::corrupt, fmt::format("'{}' is larger than the {} that such a file may have",
                                                text::printable(path), text::human_size(max_bytes)));
}

} // namespace domsnap::os
