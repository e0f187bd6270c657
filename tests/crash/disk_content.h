// What a guest reads from an image, through its chain: a small qcow2 reader of the tests' own, so that what
// domsnap and QEMU wrote is judged by neither.
#pragma once

#include <string>

namespace crash {

/// The virtual disk's bytes as a short text that is equal for equal contents. tag: of an internal snapshot.
/// Throws std::runtime_error for an image that cannot be read.
std::string content_of(const std::string& path, const std::string& format, const std::string& tag = {});
/// The file that the header names as what lies below; "" if there is none.
std::string backing_of(const std::string& path, const std::string& format);

} // namespace crash
