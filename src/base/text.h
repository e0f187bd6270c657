// Small pure functions on text that several rooms need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::text {

std::string_view trim(std::string_view s);
std::vector<std::string> split(std::string_view s, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool starts_with_slash(std::string_view path);

/// Decimal digits only, no sign, no blanks; nothing on overflow.
std::optional<uint64_t> to_u64(std::string_view s);
/// Decimal, or hexadecimal with "0x".
std::optional<uint64_t> to_u64_any_base(std::string_view s);

/// Letters, digits, '-', '_' and inner '.' stay; every other byte becomes %XX. The result is never empty,
/// ".", ".." or hidden, and holds no '/': it can be one path component (if it is short enough, which the
/// caller checks).
std::string percent_encode(std::string_view name);
/// The inverse; nothing if the text is not a percent_encode() result.
std::optional<std::string> percent_decode(std::string_view encoded);

/// "1.5 GiB", "612 KiB", "17 bytes".
std::string human_size(uint64_t bytes);

/// For messages: control characters as \xNN, so that a hostile name cannot forge a second line.
std::string printable(std::string_view s);

/// Case-insensitive order (ASCII), ties broken by bytes: the order of virsh's lists.
bool name_less(std::string_view a, std::string_view b);

/// The part after the last '/'; and the part before it ("/" for a file in the root).
std::string base_name(std::string_view path);
std::string folder_of(std::string_view path);

} // namespace domsnap::text
