// How this room says that a system call failed. Private to the room: the others see domsnap::Error only.
#pragma once

#include <cerrno>
#include <cstdint>
#include <domsnap/error.h>
#include <string>

namespace domsnap::os {

/// "cannot ACTION 'PATH': the operating system's words", with the code that fits the error number and, where
/// there is something to do about it (no space, no right), a hint.
Error failure(const std::string& action, const std::string& path, int error_number);

/// Throws failure() with the present errno.
[[noreturn]] inline void fail(const std::string& action, const std::string& path) {
    throw failure(action, path, errno);
}

/// A file that is larger than such a file may be: corrupt.
[[noreturn]] void refuse_size(const std::string& path, uint64_t max_bytes);

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto uninterrupted(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

} // namespace domsnap::os
