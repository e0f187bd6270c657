// By what a file is known again: where it lies, when it was born, when it was last written. Says what the
// file system says; what of it must stay the same is for the caller to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace domsnap::os {

struct FileIdentity {
    uint64_t device = 0; ///< its number may be another after a reboot
    uint64_t inode = 0;
    uint64_t born = 0;     ///< nanoseconds since 1970; 0 = the file system does not say
    uint64_t modified = 0; ///< nanoseconds since 1970
    uint64_t changed = 0;  ///< the same, of content or metadata: nobody can set it back
    uint64_t size = 0;     ///< bytes; 0 for a block device
    bool is_regular = false, is_block = false;
};

/// Of what the path leads to, symlinks followed. Nothing if there is no such file.
std::optional<FileIdentity> file_identity(const std::string& path);

} // namespace domsnap::os
