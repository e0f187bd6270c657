// Was anything written to a qcow2 image? Every write, and every discard, allocates an L2 table or copies one
// that an internal snapshot shares, and so changes an entry of the active L1 table (qcow2-cluster.c, QEMU 7.2
// to 10.0): two L1 tables tell, however large the disk is.
#include "image/qcow2.h"
#include "image/qemu_img.h"

#include <algorithm>
#include <endian.h>

namespace domsnap::image {

namespace {

constexpr uint64_t offset_mask = 0x00fffffffffffe00;
constexpr uint32_t most_entries = (32 << 20) / 8; // QEMU's own bound

std::vector<uint64_t> read_l1(const Qcow2File& file, uint64_t offset, uint32_t entries) {
    if (entries > most_entries) throw file.damaged("an L1 table is larger than 32 MiB");
    std::vector<uint64_t> table(entries);
    if (entries) file.read(table.data(), table.size() * sizeof table[0], offset);
    for (auto& entry : table)
        entry = be64toh(entry) & offset_mask;
    return table;
}

} // namespace

bool holds_nothing(const std::string& path) {
    const Qcow2File file(path);
    const auto table = read_l1(file, file.header().l1_offset, file.header().l1_entries);
    return std::all_of(table.begin(), table.end(), [](uint64_t entry) { return entry == 0; });
}

bool unchanged_since(const std::string& path, const std::string& tag) {
    const Qcow2File file(path);
    const auto snapshot = file.snapshot(tag);
    if (snapshot.disk_size != file.header().virtual_size) return false;
    const uint64_t covered = uint64_t{1} << file.l2_coverage_bits();
    // Behind the disk's end lies the VM state, which the active table soon loses.
    const uint64_t of_the_disk = snapshot.disk_size / covered + (snapshot.disk_size % covered != 0);
    auto now = read_l1(file, file.header().l1_offset, file.header().l1_entries);
    auto then = read_l1(file, snapshot.l1_offset, snapshot.l1_entries);
    now.resize(of_the_disk);
    then.resize(of_the_disk);
    return now == then;
}

} // namespace domsnap::image
