#include "memory/mapped_ram.h"

#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::memory {

bool shows(const os::ForeignMapping& mapping, uint64_t ram, const ImageLayer& whole,
           const std::optional<RamCopy>& copy) {
    if (mapping.offset + (ram - mapping.start) != 0) return false;
    if (copy && mapping.inode == copy->inode && mapping.device == copy->device)
        return copy->hash == fmt::format("{:016x}", whole.hash);
    const auto file = os::file_info(whole.path);
    return file && mapping.inode == file->inode && mapping.device == file->device;
}

} // namespace domsnap::memory
