// What a delete does to memory images: like a disk's files, one is needed because a snapshot names it or
// because an image that is needed rests on it (docs/model.md). Knows nothing of disks.
#pragma once

#include "plan/collect.h"

#include <string>
#include <vector>

namespace domsnap::plan {

/// doomed: images that lost the snapshots that named them. Removes at once what nothing rests on.
void remove_unneeded_images(Collection& collection, const std::vector<std::string>& doomed);
/// Takes each image that only one other still rests on up into that one. After all else: it writes memory.
void fold_unneeded_images(Collection& collection, const std::vector<std::string>& doomed);

} // namespace domsnap::plan
