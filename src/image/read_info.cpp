#include "image/read_info.h"

#include "base/text.h"
#include "image/qcow2.h"
#include "image/tool.h"
#include "os/file.h"

namespace domsnap::image {

// QEMU counts in them. Half a one at the end of a raw file counts, one in a qcow2 header does not.
static constexpr uint64_t sector = 512;

static ImageInfo read_qcow2(const Qcow2File& file, const std::string& path) {
    const Header& header = file.header();
    check_tables(header, path);
    if (!header.backing.empty()) new_image(header.backing); // plans are JSON, which could not say it
    ImageInfo info;
    info.virtual_size = header.virtual_size / sector * sector;
    info.backing_path = named_file(header.backing, path, "backing file");
    info.backing_format = header.backing_format;
    info.corrupt = header.incompatible & marked_corrupt;
    info.dirty = header.incompatible & dirty;
    info.snapshots = file.snapshots();
    return info;
}

static ImageInfo read_raw(const std::string& path) {
    ImageInfo info;
    info.virtual_size = (os::end_of(os::open_read(path), path) + sector - 1) / sector * sector;
    return info;
}

std::optional<ImageInfo> read_info(const std::string& path, const std::string& format) {
    if (format != "qcow2" && format != "raw") return std::nullopt;
    const std::string image = regular_or_block(path);
    ImageInfo info;
    if (format == "qcow2") {
        const Qcow2File file(image);
        if (file.header().encryption != 0 || file.header().incompatible & external_data_file)
            return std::nullopt;
        info = read_qcow2(file, image);
    } else {
        info = read_raw(image);
    }
    info.path = image;
    info.format = format;
    if (const auto on_disk = os::file_info(image)) info.actual_size = on_disk->allocated;
    return info;
}

} // namespace domsnap::image
