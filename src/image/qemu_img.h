// Disk images that no QEMU writes to, through qemu-img (beside $DOMSNAP_QEMU, else on PATH; $DOMSNAP_QEMU_IMG
// wins). Knows nothing of snapshots of domains. Formats are always given, never probed: probing a raw image
// lets its guest choose what the host opens. Every error names the file and carries qemu-img's own words;
// ENOSPC says how much is free.
#pragma once

#include <cstdint>
#include <domsnap/progress.h>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::image {

struct InternalSnapshot {
    std::string id, tag;
    uint64_t vm_state_size = 0; ///< bytes; 0 = disk only
    int64_t date = 0;           ///< epoch seconds
    bool operator==(const InternalSnapshot&) const = default;
};

struct ImageInfo {
    std::string path, format;
    uint64_t virtual_size = 0, actual_size = 0; ///< bytes
    std::string backing_path;                   ///< absolute (resolved against the image's folder); "" = none
    std::string backing_format;                 ///< "" = not recorded
    std::string data_file;                      ///< external data file, "" = none
    bool encrypted = false, corrupt = false, dirty = false;
    std::vector<InternalSnapshot> snapshots;
};

/// One image, without following its backing chain; -U, so that a running QEMU does not matter. format must be
/// given. Refuses (unsupported) json:, nbd: and other pseudo-protocol names in a header: only plain paths are
/// files.
ImageInfo info(const std::string& path, const std::string& format);
/// What a header may make us open below an image that the user named: a file or block device, in a format
/// that is said. Throws unsupported naming both; says nothing of one that is not there. Rule and reasons:
/// docs/security.md.
void require_plain_backing(const ImageInfo& top);
/// The format as qemu-img probes it, for a file the user named without one; never used for guests' raw disks.
std::string probe_format(const std::string& path);
/// path and all that is below it, top first. A header that names a backing file without a format is refused,
/// as libvirt does, with a hint (qemu-img rebase -u -F …). At most 1,000 images; a loop is corrupt.
std::vector<ImageInfo> chain(const std::string& path, const std::string& format);

/// True if no write ever reached the qcow2 image itself: all of its content is its backing file's. Read from
/// its tables, and therefore exact only while no QEMU has it open.
bool holds_nothing(const std::string& path);
/// True if no write reached it since the internal snapshot was made, or gone back to.
bool unchanged_since(const std::string& path, const std::string& tag);

/// A new image (O_EXCL, 0600): conflict if the path exists. Durable when it returns; nothing is left on
/// failure.
void create(const std::string& path, const std::string& format, uint64_t virtual_size);
/// A qcow2 overlay; size 0 takes the backing image's. The backing image is not opened for writing.
void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                    uint64_t virtual_size);

void snapshot_create(const std::string& path,
                     const std::string& tag); ///< qcow2 internal; conflict if the tag exists
void snapshot_apply(const std::string& path, const std::string& tag);
void snapshot_delete(const std::string& path,
                     const std::string& tag); ///< false-safe: a missing tag is not_found

/// Merges path down into base (a file of its chain). path itself stays, empty or not, for the caller to
/// remove.
void commit(const std::string& path, const std::string& format, const std::string& base,
            const Control& control);
/// Gives path another backing file. unsafe: only the header changes; otherwise the content stays what it was.
/// new_backing empty: path becomes independent.
void rebase(const std::string& path, const std::string& format, const std::string& new_backing,
            const std::string& new_backing_format, bool unsafe, const Control& control);

/// A new image (as create()) with the content of another and of what that rests on; holes stay. virtual_size:
/// if it is to be larger. busy if a program writes to the one that is copied. Nothing is left on failure.
void copy(const std::string& from, const std::string& format, const std::string& to,
          const std::string& to_format, uint64_t virtual_size, const Control& control);
/// Durable. shrink: what is beyond the new end is lost; without it such a size is refused. busy if a program
/// has it open.
void resize(const std::string& path, const std::string& format, uint64_t virtual_size, bool shrink);

struct CheckResult {
    bool clean = false;
    uint64_t errors = 0, leaks = 0, corruptions = 0;
    std::string words;
};
/// busy if a program writes to it: what is in the midst of a change cannot be judged.
CheckResult check(const std::string& path, const std::string& format);
/// Gives back the clusters that nothing in the image refers to; content stays. Durable. busy if a program has
/// it open.
void repair_leaks(const std::string& path, const std::string& format);
/// Equal content, bit for bit, whatever the formats and chains.
bool same_content(const std::string& a, const std::string& a_format, const std::string& b,
                  const std::string& b_format);

/// Which program is used: throws not_found with the package's name if there is none.
std::string program();

} // namespace domsnap::image
