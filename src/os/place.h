// Where a path leads: a folder that is held, and a name in it. Private to the room.
#pragma once

#include "os/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>

namespace domsnap::os {

class Place {
  public:
    /// Throws corrupt for a symlink where a folder is expected below a guarded folder, and for a folder there
    /// that is somebody else's or that others may write to.
    explicit Place(const std::string& path);

    bool guarded() const { return guarded_; }
    int folder() const { return folder_; }
    const char* name() const { return name_.c_str(); } ///< the whole path where nothing guards it
    int error() const { return error_; }               ///< why a folder on the way cannot be had; 0: it was

  private:
    bool guarded_ = false;
    std::shared_ptr<const void> root_; ///< of the descriptors, the one that is not ours alone
    Fd held_;
    int folder_ = AT_FDCWD;
    std::string name_;
    int error_ = 0;
};

/// call(folder, name), as the system calls ending in "at" take them; -1 and errno if a folder on the way is
/// not there.
template <class Call>
auto at(const Place& place, Call call) -> decltype(call(0, "")) {
    if (place.error() == 0) return call(place.folder(), place.name());
    errno = place.error();
    return -1;
}
template <class Call>
auto at(const std::string& path, Call call) -> decltype(call(0, "")) {
    return at(Place(path), call);
}

/// open(2), always close-on-exec. Below a guarded folder no symlink is followed: ELOOP.
int open_at(const std::string& path, int flags, unsigned mode = 0);

/// Throws corrupt unless it is a folder that nobody else may put anything in.
void require_ours(const std::string& path, const struct stat& found);

} // namespace domsnap::os
