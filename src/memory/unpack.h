// Bytes that a compressor of libvirt's choice wrote, as they were before: gzip, bzip2, xz, lzop, zstd.
// Hostile input: what a decoder may take for itself is bounded (by its library, xz's by us). Does not know
// what the bytes mean.
#pragma once

#include <cstdint>
#include <domsnap/error.h>
#include <memory>
#include <span>
#include <string>

namespace domsnap::memory {

/// The numbers are libvirt's (qemu_saveimage.h).
enum class Packing : uint32_t { none = 0, gzip = 1, bzip2 = 2, xz = 3, lzop = 4, zstd = 5, sparse = 6 };
inline constexpr uint32_t known_packings = 7;
const char* to_string(Packing packing);

class Decoder {
  public:
    virtual ~Decoder() = default;
    /// Takes from the front of in and fills the front of out; both become what is left. Throws corrupt. What
    /// is packed may be several pieces, one behind the other.
    virtual void step(std::span<const uint8_t>& in, std::span<uint8_t>& out) = 0;
    /// Whether what came until now may be all: it ends with a piece.
    virtual bool is_whole() const = 0;
};

/// Nothing for sparse, which is no stream, and for what is not packed. path: for messages.
std::unique_ptr<Decoder> make_decoder(Packing packing, const std::string& path);

/// For decoders: corrupt, with the words of what unpacks.
Error damaged_memory(Packing packing, const std::string& path, const std::string& what);

} // namespace domsnap::memory
