#include "store/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace domsnap::store {

std::string checksum_text(std::string_view data, uint64_t seed) {
    return fmt::format("{:016x}", XXH3_64bits_withSeed(data.data(), data.size(), seed));
}

std::string hash_text(std::string_view data) {
    const auto hash = XXH3_128bits(data.data(), data.size());
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

} // namespace domsnap::store
