// The keys of send-key: Linux's names and numbers, as virsh takes them, and QEMU's names for the same keys.
#pragma once

#include <string>

namespace domsnap::ui {

/// "KEY_LEFTCTRL" or "29" (or "0x1d") -> "ctrl". Throws Error: "invalid keycode: 'KEY_FOO'".
std::string qemu_key(const std::string& linux_key);

} // namespace domsnap::ui
