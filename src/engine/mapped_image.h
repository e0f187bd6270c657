// Memory images that guests map as their RAM. Nobody checks a page between the image's file and such a guest,
// so all of them are checked before it runs, once for all who map the image as long as its file stays what it
// was; or, on tmpfs, on their way into the copy that the guest maps instead.
#pragma once

#include "engine/session.h"
#include "memory/ram_copy.h"

#include <optional>
#include <string>

namespace domsnap::engine {

/// The file of the image's chain that is mapped: the whole one at its end. The pages of the others are sent.
std::string mapped_file(const std::string& image);

/// Every page of that file has its checksum, and nobody has touched the file since that was seen. Reads the
/// whole image if it is not remembered (docs/formats/ram-origin.md). Throws corrupt, not_found, cancelled.
void require_verified(const Session& session, const std::string& image);
void forget_verified(const Folders& folders, const std::string& image);

/// What a QEMU is to map as its guest's RAM, and what is to be noted of it before it does.
struct RamToMap {
    std::string file;
    std::optional<os::MemoryFile> copy; ///< there: QEMU gets that in the file's place
    std::optional<memory::RamOrigin> origin;
};
/// image "" = nothing is mapped. tmpfs: a copy is made, as long as the guest's RAM. Throws as copy_ram, and
/// io where there is no memory for it.
RamToMap ram_to_map(const Session& session, const std::string& image, bool tmpfs);

/// The RAM of the QEMU of that folder came from the image, and is its own.
void note_own_ram(const machine::RuntimeFiles& files, const std::string& image);
/// What the running guest of the domain has mapped; nothing if it runs on memory of its own, or not at all.
std::optional<memory::RamOrigin> mapped_ram(const View& view);
/// Whether that is what a guest of the image would have mapped.
bool is_mapped_from(const memory::RamOrigin& ram, const std::string& image);

} // namespace domsnap::engine
