// A snapshot: what <domainsnapshot> says of it, and the points that it froze.
#pragma once

#include "model/domain.h"
#include "model/location.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::model {

struct SnapshotMemory {
    Location location = Location::omitted;
    std::string file; ///< external: the memory image
    std::string
        disk; ///< internal: the disk (target) whose image holds the state; "" = the first that qualifies
    bool operator==(const SnapshotMemory&) const = default;
};

/// What a disk was frozen in: the content that a revert brings back.
struct DiskPoint {
    std::string file, format;
    std::string tag; ///< internal: the snapshot's name in that file; "" = the whole file as it is
    bool operator==(const DiskPoint&) const = default;
};

/// The NVRAM, or the state of the TPM, as a snapshot keeps it: a copy of its own, so that what the guest uses
/// never changes its name.
struct KeptState {
    std::string file; ///< the copy; "" = there was none yet, and a revert leaves none
    bool operator==(const KeptState&) const = default;
};

/// A file that holds a part of one snapshot and nothing else: it goes with the last record that names it.
struct OwnFile {
    std::string file;
    const char* what;
};

struct SnapshotDisk {
    std::string name; ///< target ("vda"); in a request also the source path
    Location location = Location::omitted;
    std::string type = "file";           ///< "file" or "block"
    std::string driver;                  ///< the overlay's format; "" = not said
    std::string source;                  ///< external: the overlay; "" = to be generated
    std::vector<Element> source_element; ///< the <source> as given (its attributes are kept); 0 or 1
    std::optional<DiskPoint> point;      ///< records only; nothing for location no and manual
};

struct Snapshot {
    std::string name;
    std::string description;
    bool has_description = false;
    SnapshotState state = SnapshotState::no_state; ///< no_state in requests
    std::string parent;                            ///< "" = root
    int64_t creation_time = 0;                     ///< epoch seconds; 0 = not said
    SnapshotMemory memory;
    std::optional<DiskPoint> memory_point; ///< records only: the internal snapshot that holds internal memory
    std::optional<KeptState> nvram, tpm;   ///< records only; nothing for domains without
    bool quiesced = false; ///< records only: the memory is of a guest whose file systems were frozen
    std::vector<SnapshotDisk> disks;
    bool has_disks = false;               ///< the request had a <disks> element
    std::vector<Element> domain;          ///< <domain> before the snapshot; 0 or 1
    std::vector<Element> inactive_domain; ///< <inactiveDomain>; 0 or 1
    std::vector<Element> cookie;          ///< <cookie>; 0 or 1
    std::optional<bool> active;           ///< <active> in libvirt's own files
    bool head_only = false; ///< of a record, what stands before <domain>: it must not be written again

    bool external() const; ///< memory or one disk is
    const SnapshotDisk* find_disk(std::string_view target) const;
    std::vector<DiskPoint> points() const;  ///< all that was frozen in images, whatever it is of
    std::vector<OwnFile> own_files() const; ///< all of them, whatever they hold
    bool operator==(const Snapshot&) const; ///< by formatted content
};

struct FormatOptions {
    bool security_info = false; ///< keep passwords
    bool points = false;        ///< our own <domsnap:points> for the record (never shown to users)
    bool for_request = false;   ///< --print-xml: only what was given
};
/// The namespace of <domsnap:points>.
inline constexpr const char* record_namespace = "https://domsnap.invalid/xmlns/record/1";

/// <domainsnapshot> in libvirt's order: name, description, state, parent, creationTime, memory, disks,
/// domain, inactiveDomain, cookie.
Element to_element(const Snapshot& snapshot, const FormatOptions& options = {});

/// Throws invalid_request in libvirt's words: "invalid snapshot name 'a/b': name can't contain '/'".
/// libvirt also refuses a leading '.'; domsnap accepts it (names never become paths), except "." and "..".
/// Control characters are refused: a newline in a name would forge a line of every list.
void check_snapshot_name(const std::string& name);
/// The same for a snapshot that is to be made: 255 characters at most. (libvirt's parser has no limit, but
/// from 248 bytes on its create fails half done; records of ours do not depend on the name's length.)
void check_new_snapshot_name(const std::string& name);

} // namespace domsnap::model
