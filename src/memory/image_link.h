// What a memory image rests on: its parent, by hash and path. Reads what is needed for that, and no pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::memory {

/// A chain of more images is refused; who would make a longer one makes a whole image.
inline constexpr size_t max_chain = 64;

struct ParentLink {
    uint64_t hash = 0;
    std::string path; ///< where it was; the hash decides
};

struct ImageLink {
    uint64_t hash = 0;                     ///< its own
    std::vector<uint64_t> names_of_before; ///< hashes of images whose place it took
    std::optional<ParentLink> parent;      ///< nothing: a whole image

    bool is_named(uint64_t wanted) const;
};

/// Errors: as ImageReader::open, but for what no section but these two shows.
ImageLink image_link(const std::string& path);

/// Where the parent is to be looked for: the path that the link has, or, where no file is there, one of that
/// name in the image's own folder. There may be none.
std::string parent_file(const std::string& image_path, const ParentLink& link);

/// The image and those that it rests on, whether the last one is there or not; as far as can be told where
/// one is damaged, or libvirt's, which rests on nothing.
std::vector<std::string> files_of_image(const std::string& path);

} // namespace domsnap::memory
