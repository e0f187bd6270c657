// The pages that a guest asked for first when it last came back from an image: sent ahead the next time, they
// spare it the waits. A file beside the image (docs/formats/hot-pages.md); without it everything works, only
// later.
#pragma once

#include "memory/image.h"

#include <cstdint>
#include <string>
#include <vector>

namespace domsnap::memory {

struct HotPage {
    uint32_t block = 0;
    uint64_t page = 0;
    auto operator<=>(const HotPage&) const = default;
};

/// 16 MiB: more would keep the guest waiting for what it may not want.
inline constexpr size_t max_hot_pages = 4096;

std::string hot_pages_path(const std::string& image_path);
/// In the image's order. Empty for a file that is missing, damaged, newer, or of another image.
std::vector<HotPage> read_hot_pages(const ImageReader& image);
/// Replaces the list, at most max_hot_pages of it. A wish: what cannot be written is left. A file of that
/// name that is not such a list stays.
void write_hot_pages(const ImageReader& image, const std::vector<HotPage>& pages);

/// If there is such a list beside that file.
void remove_hot_pages(const std::string& image_path);

} // namespace domsnap::memory
