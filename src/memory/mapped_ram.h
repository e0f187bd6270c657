// Whether a process has the file of an image mapped as its guest's RAM. Private to the room.
#pragma once

#include "memory/image.h"
#include "memory/ram_origin.h"
#include "os/foreign_memory.h"

#include <optional>

namespace domsnap::memory {

/// Whether what lies at ram, in that mapping, is the whole image's file from its first byte on, or the copy
/// of it.
bool shows(const os::ForeignMapping& mapping, uint64_t ram, const ImageLayer& whole,
           const std::optional<RamCopy>& copy);

} // namespace domsnap::memory
