// Memory images that guests map as their RAM. Nobody checks a page between the image's file and such a guest,
// so all of them are checked before it runs, once for all who map the image as long as its file stays what it
// was.
#pragma once

#include "engine/session.h"

#include <optional>
#include <string>

namespace domsnap::engine {

/// The file of the image's chain that is mapped: the whole one at its end. The pages of the others are sent.
std::string mapped_file(const std::string& image);

/// Every page of that file has its checksum, and nobody has touched the file since that was seen. Reads the
/// whole image if it is not remembered (docs/formats/ram-origin.md). Throws corrupt, not_found, cancelled.
void require_verified(const Session& session, const std::string& image);
void forget_verified(const Folders& folders, const std::string& image);

/// Where the RAM of the QEMU of that folder comes from.
void note_ram_origin(const machine::RuntimeFiles& files, const std::string& image, bool mapped);
/// The image that the running guest of the domain has mapped; nothing if it runs on memory of its own, or not
/// at all.
std::optional<std::string> mapped_image(const View& view);

} // namespace domsnap::engine
