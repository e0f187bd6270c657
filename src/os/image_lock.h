// QEMU's image locks, taken by ourselves: while we hold them no QEMU opens the file for what they stand
// against, and we do not get them where one has. (block/file-posix.c: a permission that a QEMU uses is a
// locked byte from 100 on, one that it does not share a byte from 200 on; QEMU 2.10 and later.)
#pragma once

#include "os/fd.h"

#include <string>

namespace domsnap::os {

enum class ImageUse { reads, writes }; ///< reads: nobody writes meanwhile; writes: nobody has it open at all
/// Until the descriptor is closed. False if somebody has the file open otherwise. writes: fd must be
/// writable. True, too, where the file system knows no locks, as for QEMU itself.
[[nodiscard]] bool lock_image(const Fd& fd, ImageUse use, const std::string& path_for_messages);

} // namespace domsnap::os
