#include "model/unit.h"

#include <string_view>

namespace domsnap::model {

std::optional<uint64_t> unit_size(std::string unit) {
    for (auto& c : unit)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (unit == "b" || unit == "byte" || unit == "bytes") return 1;
    static constexpr std::string_view letters = "kmgtpe";
    const auto power = unit.empty() ? std::string_view::npos : letters.find(unit.front());
    const auto suffix = unit.empty() ? std::string{} : unit.substr(1);
    if (power == std::string_view::npos || !(suffix.empty() || suffix == "ib" || suffix == "b"))
        return std::nullopt;
    uint64_t size = 1;
    for (size_t i = 0; i <= power; ++i)
        size *= suffix == "b" ? 1000 : 1024;
    return size;
}

} // namespace domsnap::model
