// Internal snapshots of one qcow2 image. A tag is looked up here and not by qemu-img: it does not mind a
// second snapshot of the same tag, and "-a 2" means the snapshot with the id 2 before one with the tag "2".
#include "base/text.h"
#include "image/qemu_img.h"
#include "image/tool.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::image {

static std::vector<InternalSnapshot> with_tag(const std::string& path, const std::string& tag) {
    // The whole chain, since qemu-img opens it all: a name in a header that is no file's is refused before
    // that.
    std::vector<InternalSnapshot> found = chain(path, "qcow2").front().snapshots;
    std::erase_if(found, [&](const InternalSnapshot& snapshot) { return snapshot.tag != tag; });
    return found;
}

static InternalSnapshot the_one(const std::string& path, const std::string& tag) {
    const auto found = with_tag(path, tag);
    if (found.empty())
        throw Error(ErrorCode::not_found, fmt::format("the image '{}' has no internal snapshot '{}'",
                                                      text::printable(path), text::printable(tag)));
    if (found.size() > 1)
        throw Error(ErrorCode::conflict,
                    fmt::format("the image '{}' has {} internal snapshots '{}'", text::printable(path),
                                found.size(), text::printable(tag)),
                    "delete all but one of them with qemu-img snapshot -d");
    return found.front();
}

static void change(const std::string& path, const char* option, const std::string& name,
                   const std::string& action) {
    const std::string image = existing_image(path);
    qemu_img_or_fail({"snapshot", "-q", option, name, node(image, "qcow2")},
                     fmt::format("{} '{}' in", action, text::printable(name)), image);
    sync_image(image);
}

void snapshot_create(const std::string& path, const std::string& tag) {
    if (!with_tag(path, tag).empty())
        throw Error(ErrorCode::conflict, fmt::format("the image '{}' has an internal snapshot '{}' already",
                                                     text::printable(path), text::printable(tag)));
    change(path, "-c", tag, "make the internal snapshot");
}

void snapshot_apply(const std::string& path, const std::string& tag) {
    change(path, "-a", the_one(path, tag).id, "go back to the internal snapshot");
}

void snapshot_delete(const std::string& path, const std::string& tag) {
    the_one(path, tag);
    change(path, "-d", tag, "delete the internal snapshot");
}

} // namespace domsnap::image
