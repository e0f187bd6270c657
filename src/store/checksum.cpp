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

bool is_hash_name(std::string_view file) {
    return file.size() == 36 && file.ends_with(".xml") &&
           file.find_first_not_of("0123456789abcdef") == file.size() - 4;
}

} // namespace domsnap::store
