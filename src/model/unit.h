// Sizes as libvirt's documents write them: a number and a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace domsnap::model {

/// libvirt's virScaleInteger: SI and IEC words, either case; a bare letter and "…iB" are powers of 1024.
/// Nothing for any other word.
std::optional<uint64_t> unit_size(std::string unit);

} // namespace domsnap::model
