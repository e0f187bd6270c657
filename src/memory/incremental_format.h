// The sections that only an incremental image has, or has in another form, as bytes and back
// (docs/formats/memory-image.md, "Incremental images"). Does no I/O.
#pragma once

#include "memory/image.h"
#include "memory/image_link.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::memory {

inline constexpr size_t max_parent_path = 4096, max_names_of_before = max_chain;

// decode_…: nothing if the bytes break a rule of the format.

std::string encode(const ParentLink& parent);
std::optional<ParentLink> decode_parent(std::string_view bytes);

std::string encode_hashes(std::span<const uint64_t> hashes);
std::optional<std::vector<uint64_t>> decode_hashes(std::string_view bytes);

/// Runs of pages of one state.
std::string encode_runs(std::span<const PageState> states);
std::optional<std::vector<PageState>> decode_runs(std::string_view bytes, uint64_t pages);

/// The checksums of the pages of data alone, and back to one for every page.
std::vector<uint64_t> without_gaps(std::span<const PageState> states, std::span<const uint64_t> checksums);
std::vector<uint64_t> with_gaps(std::span<const PageState> states, std::span<const uint64_t> dense);

} // namespace domsnap::memory
