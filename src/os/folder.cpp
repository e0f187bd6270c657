// Folders: made private, listed, removed without following what somebody may have put there.
#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/open_folder.h"
#include "os/place.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

std::vector<std::string> list_folder(const std::string& path) {
    auto names = OpenFolder(path).names();
    std::sort(names.begin(), names.end());
    return names;
}

void sync_folder(const std::string& path) {
    const Fd fd(uninterrupted([&] { return open_at(path, O_RDONLY | O_DIRECTORY); }));
    if (!fd) fail("open the folder", path);
    // EINVAL: a file system that has nothing to sync in a folder (some FUSE and network ones).
    const auto sync = [&] { return uninterrupted([&] { return ::fsync(fd.get()); }); };
    if (effect({Effect::Kind::sync_folder, path}, sync) != 0 && errno != EINVAL)
        fail("write to disk the folder", path);
}

static void make_private(const std::string& path) {
    // O_PATH: the permissions may not let us read it. fchmod(2) takes no such descriptor.
    const Fd fd(open_at(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    const auto set_mode = [&] { return ::chmod(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), 0700); };
    if (!fd || effect({Effect::Kind::set_mode, path}, set_mode) != 0) fail("set the permissions of", path);
}

static void make_one(const std::string& path) {
    const auto make = [&] {
        return at(path, [](int folder, const char* name) { return ::mkdirat(folder, name, 0700); });
    };
    if (effect({Effect::Kind::make_folder, path}, make) == 0) {
        make_private(path); // the umask may have taken our own bits
        sync_folder(text::folder_of(path));
        return;
    }
    const int error = errno;
    const auto there = file_info(path); // EACCES or EROFS may come before EEXIST
    if (there && there->is_folder) return;
    throw failure("make the folder", path, error);
}

void make_folders(const std::string& path) {
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (const std::string parent = path.substr(0, slash); !exists(parent)) make_one(parent);
    make_one(path);
}

void require_private_folder(const std::string& path) {
    struct stat found {};
    const auto look = [&](int folder, const char* name) {
        return ::fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW);
    };
    if (at(path, look) != 0) {
        if (errno == ENOENT) return;
        fail("look at", path);
    }
    require_ours(path, found);
    if ((found.st_mode & 077) != 0 && found.st_uid == ::geteuid()) make_private(path);
}

static void remove_entry(int parent, const std::string& name, const std::string& path) {
    const auto remove = [&] { return ::unlinkat(parent, name.c_str(), 0); };
    if (effect({Effect::Kind::remove, path}, remove) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) fail("remove", path);
    const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) fail("remove", path);
    const OpenFolder folder(fd, path);
    for (const std::string& child : folder.names())
        remove_entry(fd, child, path + "/" + child);
    const auto remove_folder = [&] { return ::unlinkat(parent, name.c_str(), AT_REMOVEDIR); };
    if (effect({Effect::Kind::remove_folder, path}, remove_folder) != 0 && errno != ENOENT)
        fail("remove the folder", path);
}

void remove_tree(const std::string& path) {
    if (!file_info(path, false)) return;
    const auto remove = [&](int folder, const char* name) {
        remove_entry(folder, name, path);
        return 0;
    };
    if (at(path, remove) != 0) fail("remove", path);
    sync_folder(text::folder_of(path));
}

bool is_writable_folder(const std::string& path) {
    const auto there = file_info(path);
    return there && there->is_folder && ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

} // namespace domsnap::os
