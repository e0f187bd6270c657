#include "image/qcow2.h"

#include "base/text.h"
#include "image/tool.h"
#include "os/file.h"

#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace domsnap::image {

namespace {
// QEMU's own bounds (block/qcow2.h): it makes no file beyond them.
constexpr uint64_t max_l1_entries = (32 << 20) / 8, max_snapshots = 65'536, max_table = 64 << 20;
constexpr uint64_t max_file_offset = uint64_t{1} << 56; // of a qcow2 table entry
constexpr uint64_t entry_size = 40;                     // of the snapshot table, without what varies

// Dirty reference counts are nobody's business here, nor is the kind of compressed clusters, of which a VM
// state has none.
constexpr uint64_t understood = dirty | marked_corrupt | external_data_file | compression_type | extended_l2;
} // namespace

struct Qcow2File::Entry {
    Qcow2Snapshot snapshot;
    uint64_t name_offset = 0, end = 0;
    size_t name_size = 0;
};

Qcow2File::Qcow2File(const std::string& path) : path_(regular_or_block(path)), fd_(os::open_read(path_)) {
    read_header();
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

void Qcow2File::read_header() {
    const auto found = header(fd_, path_);
    if (!found)
        throw Error(ErrorCode::corrupt, fmt::format("'{}' is not a qcow2 image", text::printable(path_)));
    version_ = found->version;
    cluster_bits_ = found->cluster_bits;
    virtual_size_ = found->virtual_size;
    snapshot_count_ = found->snapshot_count;
    snapshots_offset_ = found->snapshots_offset;
    check_features(*found);
    if (snapshot_count_ > max_snapshots) throw damaged(fmt::format("{} internal snapshots", snapshot_count_));
    if (snapshot_count_) check_table_offset(snapshots_offset_, "its snapshot table");
}

void Qcow2File::check_features(const Header& found) {
    if (found.encryption != 0) throw unsupported("the image is encrypted");
    const uint64_t unknown = found.incompatible & ~uint64_t{understood};
    if (unknown)
        throw unsupported(fmt::format("it has features that are not understood here (bits {:#x})", unknown));
    if (found.incompatible & marked_corrupt) throw damaged("QEMU has marked it so");
    if (found.incompatible & external_data_file) throw unsupported("its data lies in an external file");
    extended_l2_ = found.incompatible & extended_l2;
    if (extended_l2_ && cluster_bits_ < 14) throw damaged("its clusters are too small for subclusters");
}

void Qcow2File::check_table_offset(uint64_t offset, const char* table) const {
    if (offset % cluster_size() != 0 || offset >= max_file_offset)
        throw damaged(fmt::format("{} begins at byte {}", table, offset));
}

Qcow2File::Entry Qcow2File::read_entry(uint64_t at) const {
    const uint32_t sizes = read_u32(at + 12), extra = read_u32(at + 36);
    Entry entry;
    entry.snapshot = {.l1_offset = read_u64(at),
                      .l1_entries = read_u32(at + 8),
                      .vm_state_size = extra >= 8 ? read_u64(at + entry_size) : read_u32(at + 32),
                      .disk_size = extra >= 16 ? read_u64(at + entry_size + 8) : virtual_size_};
    entry.name_offset = at + entry_size + extra + (sizes >> 16); // behind the id
    entry.name_size = sizes & 0xffff;
    entry.end = (entry.name_offset + entry.name_size + 7) / 8 * 8;
    return entry;
}

bool Qcow2File::is_named(const Entry& entry, const std::string& tag) const {
    if (entry.name_size != tag.size()) return false;
    std::string name(entry.name_size, '\0');
    if (!name.empty()) read(name.data(), name.size(), entry.name_offset);
    return name == tag;
}

std::optional<Qcow2Snapshot> Qcow2File::find(const std::string& tag) const {
    std::optional<Qcow2Snapshot> found;
    uint64_t at = snapshots_offset_;
    for (uint32_t i = 0; i < snapshot_count_; ++i) {
        const Entry entry = read_entry(at);
        if (entry.end - snapshots_offset_ > max_table)
            throw damaged("its snapshot table is larger than 64 MiB");
        at = entry.end;
        if (!is_named(entry, tag)) continue;
        if (found)
            throw Error(ErrorCode::conflict,
                        fmt::format("the image '{}' has several internal snapshots '{}'",
                                    text::printable(path_), text::printable(tag)),
                        "delete all but one of them with qemu-img snapshot -d");
        found = entry.snapshot;
    }
    return found;
}

Qcow2Snapshot Qcow2File::snapshot(const std::string& tag) const {
    const auto found = find(tag);
    if (!found)
        throw Error(ErrorCode::not_found, fmt::format("the image '{}' has no internal snapshot '{}'",
                                                      text::printable(path_), text::printable(tag)));
    if (found->l1_entries > max_l1_entries) throw damaged("a snapshot's L1 table is larger than 32 MiB");
    check_table_offset(found->l1_offset, "a snapshot's L1 table");
    return *found;
}

} // namespace domsnap::image
