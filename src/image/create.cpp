// New images. qemu-img create overwrites an existing file in silence, so the file is made first, exclusively,
// and qemu-img then writes into a file of ours.
#include "base/text.h"
#include "image/qemu_img.h"
#include "image/tool.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::image {

static void create_new(const std::string& path, std::vector<std::string> arguments, uint64_t virtual_size,
                       const std::string& action) {
    const std::string image = new_image(path);
    os::Fd file = os::create_exclusive(image);
    try {
        arguments.insert(arguments.begin(), {"create", "-q"});
        arguments.insert(arguments.end(), {image, std::to_string(virtual_size)});
        qemu_img_or_fail(arguments, action, image);
        os::sync_file(file, image);
        os::sync_folder(text::folder_of(image));
    } catch (...) {
        os::remove_file_durably(image);
        throw;
    }
}

void create(const std::string& path, const std::string& format, uint64_t virtual_size) {
    create_new(path, {"-f", format}, virtual_size, "create the image");
}

// -u, with the size found by ourselves: qemu-img would open the backing image, which a running QEMU may have
// locked.
void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                    uint64_t virtual_size) {
    if (!text::starts_with_slash(backing))
        throw Error(ErrorCode::invalid_request,
                    fmt::format("the backing file '{}' must be given by its absolute path",
                                text::printable(backing)));
    if (backing_format.empty())
        throw Error(
            ErrorCode::invalid_request,
            fmt::format("the format of the backing file '{}' must be given", text::printable(backing)));
    const ImageInfo below = info(backing, backing_format);
    create_new(path, {"-u", "-f", "qcow2", "-b", backing, "-F", backing_format},
               virtual_size ? virtual_size : below.virtual_size, "create the overlay");
}

} // namespace domsnap::image
