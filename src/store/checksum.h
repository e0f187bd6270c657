// XXH3 as the store writes it. No other room needs to agree with it; the numbers are part of the file
// formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace domsnap::store {

inline constexpr size_t checksum_digits = 16;

/// XXH3-64, 16 lower-case hexadecimal digits.
std::string checksum_text(std::string_view data, uint64_t seed = 0);
/// XXH3-128, 32 lower-case hexadecimal digits: a file name for any text.
std::string hash_text(std::string_view data);
/// "HASH.xml", a document's name by such a hash.
bool is_hash_name(std::string_view file);

} // namespace domsnap::store
