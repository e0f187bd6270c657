// What a qcow2 file says of its internal snapshots, read by ourselves: snapshot table, L1 and L2 tables.
// Layout: QEMU's docs/interop/qcow2.txt. Everything in the file is hostile: offsets, sizes and counts are
// checked before they are used, and nothing is allocated by them but one cluster (at most 2 MiB) and what is
// told of the snapshots (at most QEMU's own 64 MiB). Takes none of QEMU's image locks, writes nothing,
// follows no backing file, and does not know what a VM state is made of. Private to the room.
#pragma once

#include "image/header.h"
#include "image/qemu_img.h"
#include "os/fd.h"

#include <cstdint>
#include <domsnap/error.h>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::image {

struct Qcow2Snapshot {
    uint64_t l1_offset = 0;
    uint32_t l1_entries = 0;
    uint64_t vm_state_size = 0; ///< bytes; 0 = disk only
    uint64_t disk_size = 0;     ///< the virtual disk's size when it was taken
};

class Qcow2File {
  public:
    /// Errors: not_found, io; corrupt (no qcow2, senseless numbers), unsupported (a version or a feature that
    /// is newer than this).
    explicit Qcow2File(const std::string& path);

    const Header& header() const { return header_; }

    /// All of the table, in its order.
    std::vector<InternalSnapshot> snapshots() const;
    /// For reading the VM state of it. not_found if there is none of that name, conflict if there are
    /// several; corrupt if the image is marked so, unsupported if it is encrypted or has a data file.
    Qcow2Snapshot snapshot(const std::string& tag) const;

    uint64_t cluster_size() const { return uint64_t{1} << header_.cluster_bits; }
    /// The least that is mapped by itself: a cluster, or a 32nd of it with extended L2 entries.
    uint64_t piece_size() const { return has_extended_l2() ? cluster_size() / 32 : cluster_size(); }
    /// Bytes of the disk that one L2 table maps, as a power of two.
    unsigned l2_coverage_bits() const { return 2 * header_.cluster_bits - l2_entry_bits(); }
    unsigned l2_entry_bits() const { return has_extended_l2() ? 4 : 3; }
    bool has_zero_clusters() const { return header_.version >= 3; }

    /// All of it; corrupt if the file ends before.
    void read(void* into, size_t size, uint64_t offset) const;
    uint32_t read_u32(uint64_t offset) const;
    uint64_t read_u64(uint64_t offset) const;
    /// Errors that name the file: corrupt, unsupported.
    Error damaged(const std::string& what) const;
    Error unsupported(const std::string& what) const;

  private:
    struct Entry;
    void check_header() const;
    void check_readable() const;
    bool has_extended_l2() const { return header_.incompatible & extended_l2; }
    Entry read_entry(uint64_t at) const;
    void for_each_entry(const std::function<void(const Entry&)>& visit) const;
    std::string read_text(uint64_t at, size_t size) const;
    void check_table_offset(uint64_t offset, const char* table) const;

    std::string path_;
    os::Fd fd_;
    Header header_;
};

/// Where the bytes of a snapshot's VM state lie in the file. QEMU writes them into the snapshot's own tables,
/// behind the end of the virtual disk, from the next L2 table on.
class VmStateMap {
  public:
    /// Corrupt if the tables cannot hold so much. The file must outlive the map.
    VmStateMap(const Qcow2File& file, const Qcow2Snapshot& snapshot);

    struct Extent {
        std::optional<uint64_t> offset; ///< in the file; nothing: these bytes are zeros
        uint64_t size = 0;              ///< bytes, not 0
    };
    /// What begins at that byte of the state and is contiguous in the file, at most max bytes (not 0) of it;
    /// at + max does not pass the state's end, behind which the tables need not go on.
    Extent extent(uint64_t at, uint64_t max);

  private:
    std::optional<uint64_t> place_of(uint64_t at);
    std::optional<uint64_t> place_in_cluster(uint64_t entry, uint64_t at) const;
    bool is_allocated(uint64_t subclusters, uint64_t at) const;
    void load_l2(uint64_t l1_index);
    uint64_t table_offset(uint64_t entry) const;
    uint64_t l2_word(uint64_t index) const;

    const Qcow2File& file_;
    Qcow2Snapshot snapshot_;
    uint64_t first_l1_;                 ///< index of the state's first L1 entry
    std::optional<uint64_t> loaded_l1_; ///< whose L2 table l2_ is
    std::vector<unsigned char> l2_;     ///< empty: nothing is mapped here
};

} // namespace domsnap::image
