// New images. qemu-img create overwrites an existing file in silence, so the file is made first, exclusively,
// and qemu-img then writes into a file of ours.
#include "image/qemu_img.h"
#include "image/tool.h"

namespace domsnap::image {

void create(const std::string& path, const std::string& format, uint64_t virtual_size) {
    const std::string image = new_image(path);
    make_durably(image, [&](const os::Fd&) {
        qemu_img_or_fail({"create", "-q", "-f", format, image, std::to_string(virtual_size)},
                         "create the image", image);
    });
}

} // namespace domsnap::image
