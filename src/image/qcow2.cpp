#include "image/qcow2.h"

#include "base/text.h"
#include "image/tool.h"
#include "os/file.h"

#include <endian.h>
#include <fmt/format.h>

namespace domsnap::image {

// QEMU's own bounds (block/qcow2.h): it makes no file beyond them.
static constexpr uint64_t max_snapshots = 65'536;
static constexpr uint64_t max_file_offset = uint64_t{1} << 56; // of a qcow2 table entry
// Dirty reference counts are nobody's business here, nor is the kind of compressed clusters, of which a VM
// state has none.
static constexpr uint64_t understood =
    dirty | marked_corrupt | external_data_file | compression_type | extended_l2;

Qcow2File::Qcow2File(const std::string& path) : path_(regular_or_block(path)), fd_(os::open_read(path_)) {
    auto found = image::header(fd_, path_);
    if (!found)
        throw Error(ErrorCode::corrupt, fmt::format("'{}' is not a qcow2 image", text::printable(path_)));
    header_ = *std::move(found);
    check_header();
}

void Qcow2File::read(void* into, size_t size, uint64_t offset) const {
    if (offset >= max_file_offset) throw damaged(fmt::format("it refers to byte {} of itself", offset));
    os::read_at(fd_.get(), into, size, offset, path_);
}

uint32_t Qcow2File::read_u32(uint64_t offset) const {
    uint32_t value = 0;
    read(&value, sizeof value, offset);
    return be32toh(value);
}

uint64_t Qcow2File::read_u64(uint64_t offset) const {
    uint64_t value = 0;
    read(&value, sizeof value, offset);
    return be64toh(value);
}

Error Qcow2File::damaged(const std::string& what) const {
    return Error(ErrorCode::corrupt,
                 fmt::format("the qcow2 image '{}' is damaged: {}", text::printable(path_), what),
                 "qemu-img check says more about it");
}

Error Qcow2File::unsupported(const std::string& what) const {
    return Error(ErrorCode::unsupported,
                 fmt::format("the VM state in '{}' cannot be read: {}", text::printable(path_), what));
}

void Qcow2File::check_header() const {
    const uint64_t unknown = header_.incompatible & ~uint64_t{understood};
    if (unknown)
        throw unsupported(fmt::format("it has features that are not understood here (bits {:#x})", unknown));
    if (has_extended_l2() && header_.cluster_bits < 14)
        throw damaged("its clusters are too small for subclusters");
    if (header_.snapshot_count > max_snapshots)
        throw damaged(fmt::format("{} internal snapshots", header_.snapshot_count));
    if (header_.snapshot_count) check_table_offset(header_.snapshots_offset, "its snapshot table");
}

void Qcow2File::check_table_offset(uint64_t offset, const char* table) const {
    if (offset % cluster_size() != 0 || offset >= max_file_offset)
        throw damaged(fmt::format("{} begins at byte {}", table, offset));
}

} // namespace domsnap::image
