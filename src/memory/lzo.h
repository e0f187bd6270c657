// LZO1X, which lzop packs with: only how it is unpacked. An own one of a page, because liblzo2 is under the
// GPL, and domsnap is not. Format: Documentation/staging/lzo.rst of Linux. Hostile input.
#pragma once

#include <cstdint>
#include <span>

namespace domsnap::memory {

/// Fills out, which says how long the unpacked bytes are. False: in is no LZO1X of just that length.
bool unpack_lzo1x(std::span<const uint8_t> in, std::span<uint8_t> out);

} // namespace domsnap::memory
