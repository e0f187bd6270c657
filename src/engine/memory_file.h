// The file that holds a snapshot's external memory, of either kind: domsnap's own image, or one that libvirt
// saved and that was adopted with its snapshot. Says what both can, and leaves the rest to their readers.
#pragma once

#include "memory/image.h"
#include "model/domain.h"

#include <domsnap/progress.h>
#include <string>

namespace domsnap::engine {

/// Whose memory it is: of an image from its metadata, which are verified, of libvirt's file from the XML in
/// it. Throws as their readers do.
memory::ImageIdentity identity_of_memory(const std::string& path);
/// For whoever reads all pages of an image: progress as "checking memory", and the user's cancel. control
/// outlives them.
memory::VerifyHooks check_hooks(const Control& control);
/// Reads all of it: every page against its checksum, or, where there are none, the stream to its end. Throws
/// corrupt.
void verify_memory(const std::string& path, const Control& control);
/// The guest's memory as an ordinary migration stream. Throws as memory::write_stream.
/// without_main: the main block's pages are mapped, and not sent.
void write_memory(const model::Domain& domain, const std::string& path, int out, const Control& control,
                  bool without_main);

} // namespace domsnap::engine
