// What images say of themselves, read by ourselves: a hundredth of what a run of qemu-img costs, and most
// looks at the world are looks at headers. Private to the room.
#pragma once

#include "image/qemu_img.h"

#include <optional>
#include <string>

namespace domsnap::image {

/// As info(). Nothing for what is left to qemu-img: other formats than qcow2 and raw, encrypted images, those
/// with an external data file. Errors: what is wrong, or newer than this; qemu-img says it in words that
/// users know.
std::optional<ImageInfo> read_info(const std::string& path, const std::string& format);

/// info() by qemu-img.
ImageInfo ask_qemu_img(const std::string& path, const std::string& format);

} // namespace domsnap::image
