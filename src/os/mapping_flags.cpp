#include "os/mapping_flags.h"

#include "base/text.h"
#include "os/file.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>

namespace domsnap::os {

/// "7f00-7f80 rw-p …": where a mapping's lines in smaps begin; nothing for its other lines.
static std::optional<AddressRange> range_in(std::string_view line) {
    const auto dash = line.find('-'), blank = line.find(' ');
    if (dash == line.npos || blank == line.npos || blank < dash) return std::nullopt;
    const auto number = [](std::string_view hex) -> std::optional<uint64_t> {
        if (hex.empty() || hex.find_first_not_of("0123456789abcdef") != hex.npos) return std::nullopt;
        return std::strtoull(std::string(hex).c_str(), nullptr, 16);
    };
    const auto start = number(line.substr(0, dash)), end = number(line.substr(dash + 1, blank - dash - 1));
    if (!start || !end || *end <= *start) return std::nullopt;
    return AddressRange{*start, *end - *start};
}

std::vector<AddressRange> mappings_with_flag(const ProcessId& process, std::string_view flag) {
    constexpr uint64_t most = 256 << 20;
    std::vector<AddressRange> found;
    AddressRange mapping;
    for (const auto& line : text::split(read_file(fmt::format("/proc/{}/smaps", process.pid), most), '\n')) {
        if (const auto range = range_in(line)) mapping = *range;
        if (!line.starts_with("VmFlags:")) continue;
        const auto flags = text::split(line, ' ');
        if (std::find(flags.begin(), flags.end(), flag) != flags.end()) found.push_back(mapping);
    }
    return found;
}

} // namespace domsnap::os
