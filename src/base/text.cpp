#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace domsnap::text {

std::string_view trim(std::string_view s) {
    const auto first = s.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<std::string> split(std::string_view s, char separator) {
    std::vector<std::string> parts;
    for (size_t start = 0;;) {
        const auto end = s.find(separator, start);
        parts.emplace_back(s.substr(start, end - start));
        if (end == std::string_view::npos) return parts;
        start = end + 1;
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    return fmt::format("{}", fmt::join(parts, separator));
}

bool starts_with_slash(std::string_view path) { return !path.empty() && path.front() == '/'; }

static std::optional<uint64_t> parse_u64(std::string_view s, int base) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, base);
    if (s.empty() || error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
    return value;
}

std::optional<uint64_t> to_u64(std::string_view s) { return parse_u64(s, 10); }

std::optional<uint64_t> to_u64_any_base(std::string_view s) {
    if (s.starts_with("0x") || s.starts_with("0X")) return parse_u64(s.substr(2), 16);
    return parse_u64(s, 10);
}

static bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string percent_encode(std::string_view name) {
    std::string out;
    for (size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        if (is_plain(c) || (c == '.' && i > 0))
            out += static_cast<char>(c);
        else
            out += fmt::format("%{:02X}", c);
    }
    return out.empty() ? "%" : out; // the empty name has a form of its own
}

std::optional<std::string> percent_decode(std::string_view encoded) {
    if (encoded == "%") return std::string{};
    std::string out;
    for (size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] != '%') {
            out += encoded[i];
            continue;
        }
        const auto value = i + 2 < encoded.size() ? parse_u64(encoded.substr(i + 1, 2), 16) : std::nullopt;
        if (!value) return std::nullopt;
        out += static_cast<char>(*value);
        i += 2;
    }
    if (percent_encode(out) != encoded) return std::nullopt;
    return out;
}

std::string human_size(uint64_t bytes) {
    static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = static_cast<double>(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
        value /= 1024;
    if (unit == 0) return fmt::format("{} {}", bytes, units[0]);
    return value < 10 ? fmt::format("{:.1f} {}", value, units[unit])
                      : fmt::format("{:.0f} {}", value, units[unit]);
}

std::string printable(std::string_view s) {
    std::string out;
    for (const char c : s) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

bool name_less(std::string_view a, std::string_view b) {
    const auto lower = [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
    };
    const auto less = [&](char x, char y) {
        return lower(static_cast<unsigned char>(x)) < lower(static_cast<unsigned char>(y));
    };
    if (std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), less)) return true;
    if (std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end(), less)) return false;
    return a < b;
}

std::string base_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string folder_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

} // namespace domsnap::text
