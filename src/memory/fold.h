// An image is written anew without some of those that it rests on: what they hold of it comes up into it. For
// an image whose parent nothing else needs any more (docs/formats/memory-image.md, "Folding").
#pragma once

#include "memory/image.h"
#include "os/fd.h"

#include <string>

namespace domsnap::memory {

/// Writes into the empty file `fresh` what image holds, resting on `parent`: an image of its chain, or "" for
/// a whole one. Durable when it returns. The new image answers to the old one's names, so that what rests on
/// that may rest on this. Every page that moves is verified. Errors: as ImageReader::open; io with what is
/// free; conflict if image does not rest on parent; cancelled.
void fold_image(const std::string& image, const std::string& parent, const os::Fd& fresh,
                const std::string& fresh_path, const VerifyHooks& hooks);

} // namespace domsnap::memory
