#include "ui/keys.h"

#include <domsnap/error.h>

#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <string_view>

namespace domsnap::ui {

namespace {
struct Key {
    uint16_t number;
    std::string_view linux_name, qemu_name;
};
} // namespace

// linux/input-event-codes.h and QEMU's QKeyCode.
static constexpr Key keys[] = {{1, "ESC", "esc"},
                               {2, "1", "1"},
                               {3, "2", "2"},
                               {4, "3", "3"},
                               {5, "4", "4"},
                               {6, "5", "5"},
                               {7, "6", "6"},
                               {8, "7", "7"},
                               {9, "8", "8"},
                               {10, "9", "9"},
                               {11, "0", "0"},
                               {12, "MINUS", "minus"},
                               {13, "EQUAL", "equal"},
                               {14, "BACKSPACE", "backspace"},
                               {15, "TAB", "tab"},
                               {16, "Q", "q"},
                               {17, "W", "w"},
                               {18, "E", "e"},
                               {19, "R", "r"},
                               {20, "T", "t"},
                               {21, "Y", "y"},
                               {22, "U", "u"},
                               {23, "I", "i"},
                               {24, "O", "o"},
                               {25, "P", "p"},
                               {26, "LEFTBRACE", "bracket_left"},
                               {27, "RIGHTBRACE", "bracket_right"},
                               {28, "ENTER", "ret"},
                               {29, "LEFTCTRL", "ctrl"},
                               {30, "A", "a"},
                               {31, "S", "s"},
                               {32, "D", "d"},
                               {33, "F", "f"},
                               {34, "G", "g"},
                               {35, "H", "h"},
                               {36, "J", "j"},
                               {37, "K", "k"},
                               {38, "L", "l"},
                               {39, "SEMICOLON", "semicolon"},
                               {40, "APOSTROPHE", "apostrophe"},
                               {41, "GRAVE", "grave_accent"},
                               {42, "LEFTSHIFT", "shift"},
                               {43, "BACKSLASH", "backslash"},
                               {44, "Z", "z"},
                               {45, "X", "x"},
                               {46, "C", "c"},
                               {47, "V", "v"},
                               {48, "B", "b"},
                               {49, "N", "n"},
                               {50, "M", "m"},
                               {51, "COMMA", "comma"},
                               {52, "DOT", "dot"},
                               {53, "SLASH", "slash"},
                               {54, "RIGHTSHIFT", "shift_r"},
                               {55, "KPASTERISK", "kp_multiply"},
                               {56, "LEFTALT", "alt"},
                               {57, "SPACE", "spc"},
                               {58, "CAPSLOCK", "caps_lock"},
                               {59, "F1", "f1"},
                               {60, "F2", "f2"},
                               {61, "F3", "f3"},
                               {62, "F4", "f4"},
                               {63, "F5", "f5"},
                               {64, "F6", "f6"},
                               {65, "F7", "f7"},
                               {66, "F8", "f8"},
                               {67, "F9", "f9"},
                               {68, "F10", "f10"},
                               {69, "NUMLOCK", "num_lock"},
                               {70, "SCROLLLOCK", "scroll_lock"},
                               {71, "KP7", "kp_7"},
                               {72, "KP8", "kp_8"},
                               {73, "KP9", "kp_9"},
                               {74, "KPMINUS", "kp_subtract"},
                               {75, "KP4", "kp_4"},
                               {76, "KP5", "kp_5"},
                               {77, "KP6", "kp_6"},
                               {78, "KPPLUS", "kp_add"},
                               {79, "KP1", "kp_1"},
                               {80, "KP2", "kp_2"},
                               {81, "KP3", "kp_3"},
                               {82, "KP0", "kp_0"},
                               {83, "KPDOT", "kp_decimal"},
                               {86, "102ND", "less"},
                               {87, "F11", "f11"},
                               {88, "F12", "f12"},
                               {96, "KPENTER", "kp_enter"},
                               {97, "RIGHTCTRL", "ctrl_r"},
                               {98, "KPSLASH", "kp_divide"},
                               {99, "SYSRQ", "sysrq"},
                               {100, "RIGHTALT", "alt_r"},
                               {102, "HOME", "home"},
                               {103, "UP", "up"},
                               {104, "PAGEUP", "pgup"},
                               {105, "LEFT", "left"},
                               {106, "RIGHT", "right"},
                               {107, "END", "end"},
                               {108, "DOWN", "down"},
                               {109, "PAGEDOWN", "pgdn"},
                               {110, "INSERT", "insert"},
                               {111, "DELETE", "delete"},
                               {113, "MUTE", "audiomute"},
                               {114, "VOLUMEDOWN", "volumedown"},
                               {115, "VOLUMEUP", "volumeup"},
                               {116, "POWER", "power"},
                               {119, "PAUSE", "pause"},
                               {125, "LEFTMETA", "meta_l"},
                               {126, "RIGHTMETA", "meta_r"},
                               {127, "COMPOSE", "compose"},
                               {142, "SLEEP", "sleep"},
                               {143, "WAKEUP", "wake"}};

static std::optional<unsigned> number_of(std::string_view text) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string qemu_key(const std::string& linux_key) {
    const auto number = number_of(linux_key);
    for (const auto& key : keys)
        if (number ? key.number == *number : linux_key == fmt::format("KEY_{}", key.linux_name))
            return std::string(key.qemu_name);
    throw Error(ErrorCode::invalid_request, fmt::format("invalid keycode: '{}'", linux_key),
                "keys are named as in linux/input-event-codes.h: KEY_A, KEY_LEFTCTRL, or their numbers");
}

} // namespace domsnap::ui
