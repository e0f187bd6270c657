// The user's terminal, and a guest's console on it. System calls of the command line itself, which no room
// needs.
#pragma once

#include <cstddef>
#include <string>

namespace domsnap::cli {

bool stdin_is_terminal();
bool stderr_is_terminal();
size_t terminal_width(); ///< columns of stderr's terminal; 80 if there is none

/// Asks on stderr and reads a line from stdin: true for y or yes.
bool confirmed_on_terminal(const std::string& question);

/// Connects stdin and stdout with the device (a terminal, or a unix socket) until ^] is typed, the other side
/// is gone, or the user asks to stop. The user's terminal is raw meanwhile, if stdin is one. Throws Error
/// naming the path.
void relay_console(const std::string& path, bool is_socket);

} // namespace domsnap::cli
