// What the program lzop writes (1.04): a head, then blocks of LZO1X with checksums. A part of unpack.h, in a
// file of its own because there is no library for it.
#pragma once

#include "memory/unpack.h"

namespace domsnap::memory {

std::unique_ptr<Decoder> make_lzop_decoder(const std::string& path);

} // namespace domsnap::memory
