// The header of a qcow2 file, read by ourselves: what the file is and what it rests on. Layout: QEMU's
// docs/interop/qcow2.txt. Hostile input: every offset and length is checked, names have at most 1,023 bytes.
// Takes none of QEMU's image locks, follows nothing, and judges nothing: names are as the header has them.
#pragma once

#include "os/fd.h"

#include <cstdint>
#include <domsnap/error.h>
#include <optional>
#include <string>

namespace domsnap::image {

struct Header {
    uint32_t version = 0;
    unsigned cluster_bits = 0;
    uint64_t virtual_size = 0; ///< bytes
    uint32_t encryption = 0;   ///< 0 = none
    uint32_t l1_entries = 0, refcount_clusters = 0, snapshot_count = 0;
    uint64_t l1_offset = 0, refcount_offset = 0, snapshots_offset = 0;
    uint64_t incompatible = 0;   ///< feature bits; 0 in version 2
    uint32_t refcount_order = 4; ///< bits of a reference count, as a power of two
    uint32_t length = 72;        ///< of its fixed part
    std::string backing;         ///< as written, relative or absolute; "" = none
    std::string backing_format, data_file;

    uint64_t cluster_size() const { return uint64_t{1} << cluster_bits; }
};

/// Bits of Header::incompatible.
enum IncompatibleFeature : uint64_t {
    dirty = 1, ///< the reference counts may be wrong
    marked_corrupt = 2,
    external_data_file = 4,
    compression_type = 8, ///< of compressed clusters
    extended_l2 = 16
};

/// Nothing if the file is no qcow2. Errors: not_found, io; corrupt (cut short, senseless numbers),
/// unsupported (neither version 2 nor 3).
std::optional<Header> header(const std::string& path);
/// The same of a file that is open; path for messages.
std::optional<Header> header(const os::Fd& fd, const std::string& path);

/// Tables that QEMU 7.2 would not open the image with: corrupt. Reading the names of a header needs none of
/// them.
void check_tables(const Header& header, const std::string& path);

/// A name in a header as an absolute path: a relative one is meant from the image's own folder. Throws
/// unsupported for what QEMU would not take for a file ("json:…", "nbd://…"); role says what is named.
std::string named_file(const std::string& name, const std::string& image, const std::string& role);

} // namespace domsnap::image
