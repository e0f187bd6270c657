// Overlays, written by ourselves: a process of qemu-img's for each costs more than all else that a revert in
// place does while its guest runs. The file is, byte for byte, what `qemu-img create -u -f qcow2 -b B -F F`
// makes (QEMU 7.2 to 10.0): version 3, clusters of 64 KiB, one block of reference counts, an empty L1 table.
#include "base/text.h"
#include "image/layout.h"
#include "image/qemu_img.h"
#include "image/tool.h"
#include "os/bulk.h"
#include "os/file.h"

#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::image {

namespace {

constexpr unsigned cluster_bits = 16;
constexpr uint64_t cluster = uint64_t{1} << cluster_bits, sector = 512;
constexpr uint64_t mapped_by_l2 = cluster / 8 * cluster;
// QEMU's own bounds (block/qcow2.h, qcow2_do_open).
constexpr uint64_t largest_disk = (uint64_t{32} << 20) / 8 * mapped_by_l2;
constexpr size_t longest_name = 1023;

constexpr uint32_t header_size = 112, backing_format_extension = 0xe2792aca,
                   feature_names_extension = 0x6803f857;

enum Place : uint64_t { refcount_table = 1, refcount_block, l1_table }; // in clusters

struct Feature {
    uint8_t kind, bit;
    const char* name;
};
constexpr Feature features[] = {
    {0, 0, "dirty bit"},        {0, 1, "corrupt bit"},         {0, 2, "external data file"},
    {0, 3, "compression type"}, {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"},
    {2, 0, "bitmaps"},          {2, 1, "raw external data"}};
constexpr size_t feature_size = 48;

std::string feature_names() {
    std::string bytes;
    for (const auto& feature : features) {
        put(bytes, feature.kind);
        put(bytes, feature.bit);
        bytes += feature.name;
        bytes.resize(in_units(bytes.size(), feature_size) * feature_size);
    }
    return bytes;
}

void put_extension(std::string& out, uint32_t type, const std::string& content) {
    put(out, type);
    put(out, static_cast<uint32_t>(content.size()));
    out += content;
    out.resize(in_units(out.size(), 8) * 8);
}

std::string extensions(const std::string& backing_format) {
    std::string bytes;
    put_extension(bytes, backing_format_extension, backing_format);
    put_extension(bytes, feature_names_extension, feature_names());
    put_extension(bytes, 0, "");
    return bytes;
}

struct Overlay {
    std::string backing, backing_format;
    uint64_t size; ///< bytes of the disk

    uint64_t l1_entries() const { return in_units(size, mapped_by_l2); }
    uint64_t l1_place() const { return l1_entries() ? l1_table * cluster : 0; }
    uint64_t file_size() const { return l1_table * cluster + l1_entries() * 8; }
    uint64_t clusters() const { return in_units(file_size(), cluster); }

    std::string header() const {
        const auto more = extensions(backing_format);
        std::string bytes = "QFI\xfb";
        put(bytes, uint32_t{3});
        put(bytes, uint64_t{header_size + more.size()}); // where the backing file's name lies
        put(bytes, static_cast<uint32_t>(backing.size()));
        put(bytes, uint32_t{cluster_bits});
        put(bytes, size);
        put(bytes, uint32_t{0}); // not encrypted
        put(bytes, static_cast<uint32_t>(l1_entries()));
        put(bytes, l1_place());
        put(bytes, refcount_table * cluster);
        put(bytes, uint32_t{1}); // its clusters
        for (int snapshots = 0; snapshots < 3; ++snapshots)
            put(bytes, uint32_t{0});
        for (int feature_bits = 0; feature_bits < 3; ++feature_bits)
            put(bytes, uint64_t{0});
        put(bytes, uint32_t{4}); // 16 bits for a reference count
        put(bytes, header_size);
        put(bytes, uint64_t{0}); // compression by zlib, and what fills the eight bytes
        return bytes + more + backing;
    }

    std::string refcounts() const {
        std::string bytes;
        for (uint64_t i = 0; i < clusters(); ++i)
            put(bytes, uint16_t{1});
        return bytes;
    }
};

/// The header comes last: what a crash cuts short is no qcow2 file.
void write(const os::Fd& file, const std::string& path, const Overlay& overlay) {
    const auto at = [&](uint64_t place, const std::string& bytes) {
        os::write_at(file.get(), bytes.data(), bytes.size(), place * cluster, path);
    };
    std::string table;
    put(table, refcount_block * cluster);
    os::resize_file(file, overlay.file_size(), path);
    at(refcount_table, table);
    at(refcount_block, overlay.refcounts());
    at(0, overlay.header());
}

void check_backing(const std::string& backing, const std::string& format) {
    if (!text::starts_with_slash(backing))
        throw Error(ErrorCode::invalid_request,
                    fmt::format("the backing file '{}' must be given by its absolute path",
                                text::printable(backing)));
    if (format.empty())
        throw Error(
            ErrorCode::invalid_request,
            fmt::format("the format of the backing file '{}' must be given", text::printable(backing)));
    if (backing.size() > longest_name)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("no overlay can rest on '{}': a qcow2 header holds names of {} bytes, and "
                                "this one has {}",
                                text::printable(backing), longest_name, backing.size()),
                    "move the image to a folder with a shorter path");
}

Overlay overlay_on(const std::string& backing, const std::string& format, uint64_t size,
                   const std::string& image) {
    check_backing(backing, format);
    const ImageInfo below = info(backing, format); // it must be there, and what it is said to be
    const uint64_t disk = size ? size : below.virtual_size;
    if (disk > largest_disk)
        throw Error(ErrorCode::refused_by_qemu,
                    fmt::format("cannot create the overlay '{}': a disk of {} is too large for qcow2 with "
                                "clusters of 64 KiB, which ends at {}",
                                text::printable(image), text::human_size(disk),
                                text::human_size(largest_disk)));
    return {backing, format, in_units(disk, sector) * sector};
}

} // namespace

void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                    uint64_t virtual_size) {
    const std::string image = new_image(path);
    const Overlay overlay = overlay_on(backing, backing_format, virtual_size, image);
    make_durably(image, [&](const os::Fd& file) { write(file, image, overlay); });
}

} // namespace domsnap::image
