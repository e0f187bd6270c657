// Folders: made private, listed, removed without following what somebody may have put there.
#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"

#include <algorithm>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

namespace {
struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;
} // namespace

static std::vector<std::string> names_in(DIR* folder, const std::string& path) {
    std::vector<std::string> names;
    for (errno = 0; const dirent* entry = ::readdir(folder); errno = 0) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) fail("list the folder", path);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> list_folder(const std::string& path) {
    const Folder folder(::opendir(path.c_str()));
    if (folder) return names_in(folder.get(), path);
    if (errno == ENOENT) return {};
    fail("list the folder", path);
}

void sync_folder(const std::string& path) {
    const Fd fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) fail("open the folder", path);
    // EINVAL: a file system that has nothing to sync in a folder (some FUSE and network ones).
    const auto sync = [&] { return uninterrupted([&] { return ::fsync(fd.get()); }); };
    if (effect({Effect::Kind::sync_folder, path}, sync) != 0 && errno != EINVAL)
        fail("write to disk the folder", path);
}

static void make_one(const std::string& path) {
    const auto make = [&] { return ::mkdir(path.c_str(), 0700); };
    if (effect({Effect::Kind::make_folder, path}, make) == 0) {
        if (::chmod(path.c_str(), 0700) != 0) fail("set the permissions of", path);
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

[[noreturn]] static void refuse_folder(const std::string& path, const char* why, const char* hint) {
    throw Error(ErrorCode::corrupt, fmt::format("'{}' {}", text::printable(path), why), hint);
}

static void require_ours(const std::string& path, const struct stat& found) {
    if (!S_ISDIR(found.st_mode))
        refuse_folder(path,
                      S_ISLNK(found.st_mode) ? "is a symbolic link, where domsnap keeps a folder"
                                             : "is no folder",
                      "see who put it there, and remove it");
    const uid_t me = ::geteuid();
    if (found.st_uid != me && found.st_uid != 0)
        refuse_folder(path, "belongs to another user, who could put anything in it",
                      "run domsnap as that user, or name another folder");
    if (found.st_mode & (S_IWGRP | S_IWOTH))
        refuse_folder(path, "may be written to by others, who could put anything in it",
                      "look at what is in it, then chmod go-rwx");
}

void require_private_folder(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return;
        fail("look at", path);
    }
    require_ours(path, found);
    if ((found.st_mode & 077) == 0 || found.st_uid != ::geteuid()) return;
    const Fd fd(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (!fd || ::fchmod(fd.get(), 0700) != 0) fail("set the permissions of", path);
}

void require_unshared_folder(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0)
        require_ours(path, found);
    else if (errno != ENOENT)
        fail("look at", path);
}

static void remove_entry(int parent, const std::string& name, const std::string& path) {
    const auto remove = [&] { return ::unlinkat(parent, name.c_str(), 0); };
    if (effect({Effect::Kind::remove, path}, remove) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) fail("remove", path);
    const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) fail("remove", path);
    const Folder folder(::fdopendir(fd)); // owns fd
    if (!folder) fail("remove", path);
    for (const std::string& child : names_in(folder.get(), path))
        remove_entry(fd, child, path + "/" + child);
    const auto remove_folder = [&] { return ::unlinkat(parent, name.c_str(), AT_REMOVEDIR); };
    if (effect({Effect::Kind::remove_folder, path}, remove_folder) != 0 && errno != ENOENT)
        fail("remove the folder", path);
}

void remove_tree(const std::string& path) {
    if (!file_info(path, false)) return;
    remove_entry(AT_FDCWD, path, path);
    sync_folder(text::folder_of(path));
}

bool is_writable_folder(const std::string& path) {
    const auto there = file_info(path);
    return there && there->is_folder && ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

} // namespace domsnap::os
