#include "memory/incremental_format.h"

#include "memory/bytes.h"

#include <algorithm>

namespace domsnap::memory {

static constexpr unsigned state_bits = 2;
static constexpr uint64_t longest_run = UINT32_MAX >> state_bits;

std::string encode(const ParentLink& parent) {
    std::string bytes;
    put_little(bytes, parent.hash);
    return bytes + parent.path;
}

std::optional<ParentLink> decode_parent(std::string_view bytes) {
    if (bytes.size() < 9 || bytes.size() > 8 + max_parent_path) return std::nullopt;
    ParentLink parent{from_little<uint64_t>(bytes.data()), std::string(bytes.substr(8))};
    if (parent.path.front() != '/' || parent.path.find('\0') != std::string::npos) return std::nullopt;
    return parent;
}

std::string encode_hashes(std::span<const uint64_t> hashes) {
    std::string bytes;
    for (const uint64_t hash : hashes)
        put_little(bytes, hash);
    return bytes;
}

std::optional<std::vector<uint64_t>> decode_hashes(std::string_view bytes) {
    if (bytes.empty() || bytes.size() % 8 != 0 || bytes.size() > 8 * max_names_of_before) return std::nullopt;
    std::vector<uint64_t> hashes;
    for (; !bytes.empty(); bytes.remove_prefix(8))
        hashes.push_back(from_little<uint64_t>(bytes.data()));
    return hashes;
}

std::string encode_runs(std::span<const PageState> states) {
    std::string bytes;
    for (size_t at = 0; at < states.size();) {
        const size_t limit = std::min<size_t>(states.size(), at + longest_run);
        size_t end = at + 1;
        while (end < limit && states[end] == states[at])
            ++end;
        put_little(bytes,
                   static_cast<uint32_t>((end - at) << state_bits | static_cast<uint64_t>(states[at])));
        at = end;
    }
    return bytes;
}

std::optional<std::vector<PageState>> decode_runs(std::string_view bytes, uint64_t pages) {
    if (bytes.size() % 4 != 0) return std::nullopt;
    std::vector<PageState> states;
    states.reserve(pages);
    for (; !bytes.empty(); bytes.remove_prefix(4)) {
        const auto run = from_little<uint32_t>(bytes.data());
        const uint64_t count = run >> state_bits;
        if (count == 0 || count > pages - states.size()) return std::nullopt;
        states.insert(states.end(), count, static_cast<PageState>(run & ((1u << state_bits) - 1)));
    }
    if (states.size() != pages) return std::nullopt;
    return states;
}

std::vector<uint64_t> without_gaps(std::span<const PageState> states, std::span<const uint64_t> checksums) {
    std::vector<uint64_t> dense;
    for (size_t page = 0; page < states.size(); ++page)
        if (states[page] == PageState::data) dense.push_back(checksums[page]);
    return dense;
}

std::vector<uint64_t> with_gaps(std::span<const PageState> states, std::span<const uint64_t> dense) {
    std::vector<uint64_t> checksums(states.size());
    size_t next = 0;
    for (size_t page = 0; page < states.size(); ++page)
        if (states[page] == PageState::data) checksums[page] = dense[next++];
    return checksums;
}

} // namespace domsnap::memory
