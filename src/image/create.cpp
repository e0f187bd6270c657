// New images. qemu-img create overwrites an existing file in silence, so the file is made first, exclusively,
// and qemu-img then writes into a file of ours.
#include "base/text.h"
#include "image/qemu_img.h"
#include "image/tool.h"
#include "os/file.h"

namespace domsnap::image {

void create(const std::string& path, const std::string& format, uint64_t virtual_size) {
    const std::string image = new_image(path);
    os::Fd file = os::create_exclusive(image);
    try {
        qemu_img_or_fail({"create", "-q", "-f", format, image, std::to_string(virtual_size)},
                         "create the image", image);
        os::sync_file(file, image);
        os::sync_folder(text::folder_of(image));
    } catch (...) {
        os::remove_file_durably(image);
        throw;
    }
}

} // namespace domsnap::image
