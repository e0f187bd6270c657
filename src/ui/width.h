// How wide text stands on a terminal, and what must not stand there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace domsnap::ui {

/// Terminal columns of UTF-8 text: 2 for East Asian wide characters and emoji, 0 for combining marks, 1 for a
/// byte that is no UTF-8. Does not look at the locale: what is printed must not depend on who runs it.
size_t display_width(std::string_view text);

/// Text with blanks added until it is that wide.
std::string padded(std::string_view text, size_t width);

/// Control characters (C0, C1, DEL) and bytes that are no UTF-8 as \xNN, so that a name can neither move the
/// cursor nor forge a line. As virsh's tables do.
std::string cell(std::string_view text);

} // namespace domsnap::ui
