// The main RAM block of a whole memory image in the host's memory, for a QEMU to map privately: there QEMU
// can write-protect the mapping, which it cannot of a file on a disk, and so save the guest while it runs.
#pragma once

#include "memory/image.h"
#include "memory/ram_origin.h"
#include "os/memory_file.h"

namespace domsnap::memory {

/// Every page is verified on its way, and the copy is sealed. It takes as much memory as the block is long,
/// the pages of zeros too: they would be taken in the stop of the first snapshot otherwise, where QEMU reads
/// each of them. `whole` must rest on nothing. Throws corrupt, io, cancelled.
os::MemoryFile copy_ram(const ImageReader& whole, const VerifyHooks& hooks);

/// How it is known again.
RamCopy identity_of(const os::MemoryFile& copy, const ImageReader& whole);

} // namespace domsnap::memory
