// From a byte of a snapshot's VM state to its place in the file, through the snapshot's L1 and L2 tables.
#include "image/qcow2.h"

#include <algorithm>
#include <cstring>
#include <endian.h>
#include <fmt/format.h>

namespace domsnap::image {

static constexpr uint64_t offset_mask = 0x00fffffffffffe00, compressed = uint64_t{1} << 62, zero_cluster = 1;

/// L2 tables for so many bytes.
static uint64_t tables_for(uint64_t bytes, unsigned coverage_bits) {
    const uint64_t rest = bytes & ((uint64_t{1} << coverage_bits) - 1);
    return (bytes >> coverage_bits) + (rest != 0);
}

VmStateMap::VmStateMap(const Qcow2File& file, const Qcow2Snapshot& snapshot)
    : file_(file), snapshot_(snapshot), first_l1_(tables_for(snapshot.disk_size, file.l2_coverage_bits())) {
    const uint64_t tables = tables_for(snapshot.vm_state_size, file.l2_coverage_bits());
    if (first_l1_ + tables > snapshot.l1_entries)
        throw file.damaged(fmt::format("the tables of a snapshot end before its {} bytes of VM state",
                                       snapshot.vm_state_size));
}

uint64_t VmStateMap::table_offset(uint64_t entry) const {
    const uint64_t offset = entry & offset_mask;
    if (offset % file_.cluster_size() != 0) throw file_.damaged("a table refers to the middle of a cluster");
    return offset;
}

void VmStateMap::load_l2(uint64_t l1_index) {
    if (loaded_l1_ == l1_index) return;
    const uint64_t offset = table_offset(file_.read_u64(snapshot_.l1_offset + l1_index * 8));
    l2_.resize(offset ? file_.cluster_size() : 0);
    if (offset) file_.read(l2_.data(), l2_.size(), offset);
    loaded_l1_ = l1_index;
}

uint64_t VmStateMap::l2_word(uint64_t index) const {
    uint64_t word = 0;
    std::memcpy(&word, &l2_.at(index * 8), sizeof word);
    return be64toh(word);
}

/// The low half has a bit for each of the 32 pieces that have a place, the high half for those that are
/// zeros.
bool VmStateMap::is_allocated(uint64_t subclusters, uint64_t at) const {
    const uint64_t bit = uint64_t{1} << (at % file_.cluster_size() / file_.piece_size());
    const bool allocated = subclusters & bit, zeros = subclusters & bit << 32;
    if (allocated && zeros) throw file_.damaged("a subcluster has a place and is zeros too");
    return allocated;
}

std::optional<uint64_t> VmStateMap::place_in_cluster(uint64_t entry, uint64_t at) const {
    if (entry & compressed) // QEMU 7.2 and 10.0 never compress a VM state (qcow2_save_vmstate)
        throw file_.unsupported("it is compressed");
    const uint64_t offset = table_offset(entry);
    const bool extended = file_.l2_entry_bits() == 4;
    if (entry & zero_cluster && (extended || !file_.has_zero_clusters()))
        throw file_.damaged("a zero cluster where there can be none");
    if (offset == 0 || entry & zero_cluster) return {};
    return offset + at % file_.cluster_size();
}

std::optional<uint64_t> VmStateMap::place_of(uint64_t at) {
    const uint64_t in_table = at & ((uint64_t{1} << file_.l2_coverage_bits()) - 1);
    load_l2(first_l1_ + (at >> file_.l2_coverage_bits()));
    if (l2_.empty()) return {};
    const uint64_t index = in_table / file_.cluster_size();
    if (file_.l2_entry_bits() == 3) return place_in_cluster(l2_word(index), at);
    const auto place = place_in_cluster(l2_word(2 * index), at);
    if (!is_allocated(l2_word(2 * index + 1), at)) return {};
    if (!place) throw file_.damaged("a subcluster of no cluster");
    return place;
}

VmStateMap::Extent VmStateMap::extent(uint64_t at, uint64_t max) {
    const uint64_t piece = file_.piece_size();
    Extent extent{place_of(at), piece - at % piece};
    while (extent.size < max) {
        const auto next = place_of(at + extent.size);
        if (next.has_value() != extent.offset.has_value()) break;
        if (next && *next != *extent.offset + extent.size) break;
        extent.size += piece;
    }
    extent.size = std::min(extent.size, max);
    return extent;
}

} // namespace domsnap::image
