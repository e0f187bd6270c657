// The snapshot table of a qcow2 file.
#include "image/qcow2.h"

#include "base/text.h"

#include <fmt/format.h>

namespace domsnap::image {

// QEMU's own bounds (block/qcow2.h): it makes no file beyond them.
static constexpr uint64_t max_l1_entries = (32 << 20) / 8, max_table = 64 << 20;
static constexpr uint64_t entry_size = 40; // without what varies

struct Qcow2File::Entry {
    Qcow2Snapshot snapshot;
    uint32_t date = 0;
    uint64_t id_offset = 0, name_offset = 0, end = 0;
    size_t id_size = 0, name_size = 0;
};

Qcow2File::Entry Qcow2File::read_entry(uint64_t at) const {
    const uint32_t sizes = read_u32(at + 12), extra = read_u32(at + 36);
    Entry entry;
    entry.snapshot = {.l1_offset = read_u64(at),
                      .l1_entries = read_u32(at + 8),
                      .vm_state_size = extra >= 8 ? read_u64(at + entry_size) : read_u32(at + 32),
                      .disk_size = extra >= 16 ? read_u64(at + entry_size + 8) : header_.virtual_size};
    entry.date = read_u32(at + 16);
    entry.id_offset = at + entry_size + extra;
    entry.id_size = sizes >> 16;
    entry.name_offset = entry.id_offset + entry.id_size;
    entry.name_size = sizes & 0xffff;
    entry.end = (entry.name_offset + entry.name_size + 7) / 8 * 8;
    return entry;
}

void Qcow2File::for_each_entry(const std::function<void(const Entry&)>& visit) const {
    uint64_t at = header_.snapshots_offset;
    for (uint32_t i = 0; i < header_.snapshot_count; ++i) {
        const Entry entry = read_entry(at);
        if (entry.end - header_.snapshots_offset > max_table)
            throw damaged("its snapshot table is larger than 64 MiB");
        at = entry.end;
        visit(entry);
    }
}

std::string Qcow2File::read_text(uint64_t at, size_t size) const {
    std::string text(size, '\0');
    if (size) read(text.data(), size, at);
    return text;
}

std::vector<InternalSnapshot> Qcow2File::snapshots() const {
    std::vector<InternalSnapshot> all;
    for_each_entry([&](const Entry& entry) {
        all.push_back({.id = read_text(entry.id_offset, entry.id_size).c_str(), // to QEMU they end at a NUL
                       .tag = read_text(entry.name_offset, entry.name_size).c_str(),
                       .vm_state_size = entry.snapshot.vm_state_size,
                       .date = entry.date});
    });
    return all;
}

void Qcow2File::check_readable() const {
    if (header_.encryption != 0) throw unsupported("the image is encrypted");
    if (header_.incompatible & marked_corrupt) throw damaged("QEMU has marked it so");
    if (header_.incompatible & external_data_file) throw unsupported("its data lies in an external file");
}

Qcow2Snapshot Qcow2File::snapshot(const std::string& tag) const {
    check_readable();
    std::optional<Qcow2Snapshot> found;
    for_each_entry([&](const Entry& entry) {
        if (entry.name_size != tag.size() || read_text(entry.name_offset, entry.name_size) != tag) return;
        if (found)
            throw Error(ErrorCode::conflict,
                        fmt::format("the image '{}' has several internal snapshots '{}'",
                                    text::printable(path_), text::printable(tag)),
                        "delete all but one of them with qemu-img snapshot -d");
        found = entry.snapshot;
    });
    if (!found)
        throw Error(ErrorCode::not_found, fmt::format("the image '{}' has no internal snapshot '{}'",
                                                      text::printable(path_), text::printable(tag)));
    if (found->l1_entries > max_l1_entries) throw damaged("a snapshot's L1 table is larger than 32 MiB");
    check_table_offset(found->l1_offset, "a snapshot's L1 table");
    return *found;
}

} // namespace domsnap::image
