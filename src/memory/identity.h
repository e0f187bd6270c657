// The identity of an image as JSON: a section of the file, and what the capture process is told.
#pragma once

#include "memory/image.h"

#include <string>
#include <string_view>

namespace domsnap::memory {

inline constexpr size_t max_identity = 64 << 10;

std::string identity_to_json(const ImageIdentity& identity);
/// Error: corrupt. Unknown members are ignored, known ones must be there.
ImageIdentity identity_from_json(std::string_view json);

} // namespace domsnap::memory
