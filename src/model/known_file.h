// A file that domsnap knows: what it is for, whether domsnap made it, and by what it is known again. One
// entry of the ledger; format: docs/formats/ledger.md. Looks at no file.
#pragma once

#include "model/element.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace domsnap::model {

enum class FileRole {
    given, ///< the user's own, which a snapshot froze
    overlay,
    copy,   ///< of an image that others still read
    memory, ///< a memory image
    holder, ///< a qcow2 file that only holds internal memory
    nvram,
    tpm
};
const char* to_string(FileRole role);
std::optional<FileRole> file_role_from(std::string_view word);

/// Where it lies: another place does not mean another content.
struct FilePlace {
    uint64_t device = 0, inode = 0;
    uint64_t born = 0; ///< nanoseconds since 1970; 0 = not known
    bool operator==(const FilePlace&) const = default;
};

/// What was last seen of its content.
struct FileContent {
    uint64_t size = 0, modified = 0; ///< bytes; nanoseconds since 1970
    std::string hash;                ///< a memory image's own; "" = none
    std::string parent;              ///< the memory image that it rests on; "" = none
    bool operator==(const FileContent&) const = default;
};

/// What a qcow2's header says that no guest changes.
struct KnownHeader {
    uint64_t version = 0, cluster_size = 0, virtual_size = 0, features = 0;
    std::string backing, backing_format, data_file; ///< paths absolute; "" = none
    bool operator==(const KnownHeader&) const = default;
};

struct KnownFile {
    std::string path;
    FileRole role = FileRole::given;
    bool made = false;   ///< by domsnap
    bool frozen = false; ///< content is that of a snapshot; else a guest may be writing to it
    FilePlace place;
    FileContent content;
    std::optional<KnownHeader> header; ///< qcow2 only
    bool operator==(const KnownFile&) const = default;
};

/// What of the file as it is now is not as it is known, in words that follow its path ("was written to"); ""
/// if nothing that matters. frozen: the content must be that of a snapshot. The rule: docs/formats/ledger.md.
std::string difference(const KnownFile& known, const KnownFile& now, bool frozen);
/// A copy with the same content took its place, or its file system is another.
bool is_elsewhere(const KnownFile& known, const KnownFile& now);

Element to_element(const KnownFile& file);
/// Throws corrupt for what to_element did not write. Attributes that are not known are ignored.
KnownFile known_file_from(const Element& element);

} // namespace domsnap::model
