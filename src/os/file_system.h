// The file system that a folder is on.
#pragma once

#include <cstdint>
#include <string>

namespace domsnap::os {

struct FileSystem {
    uint64_t size = 0, available = 0; ///< bytes; available: to an unprivileged writer
};
/// Bytes that an unprivileged writer may still use on the file system that holds the path (or its folder).
uint64_t free_space(const std::string& path);
/// Throws not_found, io.
FileSystem file_system_of(const std::string& folder);

} // namespace domsnap::os
