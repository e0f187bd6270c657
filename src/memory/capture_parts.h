// What both kinds of capture do alike: with the image that they rest on, and when they fail. Private to the
// room.
#pragma once

#include "memory/capture.h"
#include "memory/image_writer.h"

#include <exception>
#include <optional>
#include <string>

namespace domsnap::memory {

/// Nothing for "", and if it cannot be used: then why_not says why.
std::optional<ImageReader> open_parent(const std::string& path, std::string& why_not);
/// Why a parent was given for nothing.
std::string other_blocks(const std::string& parent);

void note(CaptureResult& result, const ImageWriter::Counts& counts);
void note(CaptureResult& result, std::exception_ptr error);

/// The guest's own overlays may lie on the same full disk, and half an image is good for nothing.
void give_room_back(const os::Fd& image, const std::string& path);

} // namespace domsnap::memory
