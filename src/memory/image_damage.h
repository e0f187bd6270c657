// Why a file is not a whole memory image: the words for each finding. Reads only; see "What a reader says" in
// docs/formats/memory-image.md.
#pragma once

#include "os/fd.h"

#include <cstdint>
#include <domsnap/error.h>
#include <string>

namespace domsnap::memory {

/// An image that is being read: the open file, its name for messages and its size.
struct ImageFile {
    os::Fd fd;
    std::string path;
    uint64_t size = 0;

    Error altered(const std::string& what) const;
    Error newer() const;
    /// For a file without a whole trailer at its end. Looks for the mark, so it reads what may be metadata:
    /// at most half a GiB and a 256th of the file.
    Error without_trailer() const;
};

} // namespace domsnap::memory
