// Folders of our own, held open. What lies below one is reached from its descriptor, one folder after the
// other: whoever swaps a folder for another, or for a symlink, at whatever moment, leads us nowhere. Every
// call of this room that takes a path obeys. Programs that we run are given paths and open them by
// themselves.
#pragma once

#include <string>

namespace domsnap::os {

/// From now on. The folder that the user named may itself be a symlink, and may not be there yet; throws
/// corrupt if it belongs to another user or if others may write to it. Called again, it looks whether the
/// path still leads to the folder that is held, and takes the present one where it does not.
void guard_folder(const std::string& path);

} // namespace domsnap::os
