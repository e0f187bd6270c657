#include "ui/width.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>
#include <optional>

namespace domsnap::ui {

namespace {
struct Range {
    char32_t first, last;
};

struct Decoded {
    char32_t code;
    size_t bytes;
};
} // namespace

// Unicode 15: EastAsianWidth.txt's W and F, in runs; unassigned gaps inside a run are taken along.
static constexpr Range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x2705, 0x2705},   {0x274C, 0x274C},   {0x2753, 0x2755},
    {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
    {0x3400, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF}, {0x1B000, 0x1B2FF},
    {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C},
    {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3E0, 0x1F3F0}, {0x1F3F8, 0x1F43E}, {0x1F440, 0x1F440},
    {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F567}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F},
    {0x1F680, 0x1F6C5}, {0x1F6D0, 0x1F6D7}, {0x1F6EB, 0x1F6FC}, {0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1F9FF},
    {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};

static constexpr Range zero[] = {{0x0300, 0x036F},  {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                 {0x064B, 0x065F},  {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
                                 {0x0E31, 0x0E31},  {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
                                 {0x1DC0, 0x1DFF},  {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064},
                                 {0x20D0, 0x20FF},  {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
                                 {0xE0100, 0xE01EF}};

template <size_t N>
static bool contains(const Range (&ranges)[N], char32_t code) {
    const auto* after =
        std::upper_bound(std::begin(ranges), std::end(ranges), code,
                         [](char32_t value, const Range& range) { return value < range.first; });
    return after != std::begin(ranges) && code <= std::prev(after)->last;
}

static size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/// The character at the start of text; nothing for bytes that are no (shortest, valid) UTF-8.
static std::optional<Decoded> decode(std::string_view text) {
    static constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(text[0]);
    const size_t length = sequence_length(lead);
    if (length == 0 || text.size() < length) return std::nullopt;
    char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return std::nullopt;
        code = code << 6 | (byte & 0x3F);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
    return Decoded{code, length};
}

size_t display_width(std::string_view text) {
    size_t width = 0;
    while (!text.empty()) {
        const auto character = decode(text);
        if (!character || character->code < zero[0].first) // most of what is ever shown: spared two searches
            ++width;
        else if (contains(wide, character->code))
            width += 2;
        else if (!contains(zero, character->code))
            ++width;
        text.remove_prefix(character ? character->bytes : 1);
    }
    return width;
}

std::string padded(std::string_view text, size_t width) {
    const size_t own = display_width(text);
    return std::string(text) + std::string(width > own ? width - own : 0, ' ');
}

static bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

// Marks that turn the direction of what follows would let a name hide its end.
static bool turns_direction(char32_t code) {
    return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string cell(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto character = decode(text);
        const auto bytes = text.substr(0, character ? character->bytes : 1);
        if (character && !is_control(character->code) && !turns_direction(character->code))
            out += bytes;
        else
            for (const char byte : bytes)
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        text.remove_prefix(bytes.size());
    }
    return out;
}

} // namespace domsnap::ui
