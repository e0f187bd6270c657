// What a domain that was forked from another one's snapshot keeps of that: whose files it rests on, and the
// memory that waits for its first start. A domain that was adopted with a managed save of libvirt's has such
// memory, too, and rests on nobody's files. Format: docs/formats/fork.md. Knows no files.
#pragma once

#include "model/element.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::model {

/// A disk of the fork's, and the file of the snapshot that its first overlay was laid on. Of an adopted
/// domain the disk as it is, and when it was written last.
struct ForkedDisk {
    std::string target, overlay, file;
    uint64_t modified = 0; ///< nanoseconds since 1970; 0 = not known
};

/// The state that the fork's first start goes on from.
struct WaitingMemory {
    bool paused = false;
    bool quiesced = false; ///< of a guest whose file systems were frozen
    Element domain;        ///< <domain> that runs then
};

struct Fork {
    std::string origin, origin_uuid, snapshot; ///< the origin's name as it was then; "" = adopted
    int64_t created = 0;                       ///< epoch seconds
    std::string image, hash;                   ///< the memory's file; "" = it had none
    std::vector<ForkedDisk> disks;
    std::optional<WaitingMemory> memory; ///< nothing once it was started

    /// Its memory is what libvirt saved for its next start, as a stream in a file that is the domain's own.
    bool adopted() const { return origin.empty(); }
    /// Whether it needs that file of the snapshot's.
    bool rests_on(const std::string& path) const;
};

Element to_element(const Fork& fork);
/// Throws corrupt for what to_element did not write. What is not known is ignored.
Fork fork_from(const Element& element);

} // namespace domsnap::model
