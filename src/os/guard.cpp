#include "os/guard.h"

#include "base/text.h"
#include "os/failure.h"
#include "os/place.h"

#include <fmt/format.h>
#include <map>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace domsnap::os {

namespace {

/// Not there yet: without a descriptor, until somebody has made it.
struct Guarded {
    Fd folder;
    ~Guarded() {
        // Whoever closed every descriptor of this process (a forked child) may have given the number to
        // another.
        struct stat now {};
        if (folder && (::fstat(folder.get(), &now) != 0 || now.st_ino != inode || now.st_dev != device))
            folder.release();
    }
    dev_t device = 0;
    ino_t inode = 0;
};

std::mutex mutex;
std::map<std::string, std::shared_ptr<const Guarded>, std::greater<>> all; ///< the longer of two comes first

bool is_still_at(const Guarded& guarded, const std::string& path) {
    struct stat held {
    }, named{};
    return guarded.folder && ::fstat(guarded.folder.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

struct stat look_at(const Fd& folder, const std::string& path) {
    struct stat found {};
    if (::fstat(folder.get(), &found) != 0) fail("look at", path);
    require_ours(path, found);
    return found;
}

std::shared_ptr<const Guarded> take(const std::string& path) {
    auto guarded = std::make_shared<Guarded>();
    guarded->folder.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!guarded->folder && errno == ENOENT) return guarded;
    if (!guarded->folder) fail("open the folder", path);
    const auto found = look_at(guarded->folder, path);
    guarded->device = found.st_dev;
    guarded->inode = found.st_ino;
    return guarded;
}

/// The part of the path below the folder; empty if it is not below it. ".." may lead anywhere: nothing of
/// ours has one.
std::string below(const std::string& folder, const std::string& path) {
    if (path.size() <= folder.size() + 1 || !path.starts_with(folder) || path[folder.size()] != '/')
        return {};
    for (const auto& part : text::split(path.substr(folder.size() + 1), '/'))
        if (part == "..") return {};
    return path.substr(folder.size() + 1);
}

struct Found {
    std::shared_ptr<const Guarded> guarded;
    std::string folder, rest;
};

Found find(const std::string& path) {
    const std::lock_guard lock(mutex);
    for (auto& [folder, guarded] : all) {
        auto rest = below(folder, path);
        if (rest.empty()) continue;
        if (!guarded->folder) guarded = take(folder);
        if (!guarded->folder) return {};
        return {guarded, folder, std::move(rest)};
    }
    return {};
}

[[noreturn]] void refuse(const std::string& path, const char* why, const char* hint) {
    throw Error(ErrorCode::corrupt, fmt::format("'{}' {}", text::printable(path), why), hint);
}

bool is_symlink(int folder, const std::string& name) {
    struct stat found {};
    return ::fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
}

constexpr const char* not_a_link = "is a symbolic link, where domsnap keeps a folder";
constexpr const char* remove_it = "see who put it there, and remove it";

/// Without a descriptor, and errno, if it cannot be had. Part by part and not by openat2(2), which would
/// spare two calls: whose each folder is has to be seen anyway.
Fd enter(int from, const std::string& name, const std::string& path) {
    Fd folder(uninterrupted(
        [&] { return ::openat(from, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (!folder) {
        const int error = errno;
        if (error == ENOTDIR && is_symlink(from, name)) refuse(path, not_a_link, remove_it);
        errno = error;
        return folder;
    }
    look_at(folder, path);
    return folder;
}

} // namespace

void guard_folder(const std::string& path) {
    const std::lock_guard lock(mutex);
    // Those that are gone (a server's, a test's) must not keep their descriptors.
    std::erase_if(all, [](const auto& entry) { return !is_still_at(*entry.second, entry.first); });
    if (const auto known = all.find(path); known != all.end())
        look_at(known->second->folder, path);
    else
        all[path] = take(path);
}

void require_ours(const std::string& path, const struct stat& found) {
    if (!S_ISDIR(found.st_mode))
        refuse(path, S_ISLNK(found.st_mode) ? not_a_link : "is no folder", remove_it);
    const uid_t me = ::geteuid();
    if (found.st_uid != me && found.st_uid != 0)
        refuse(path, "belongs to another user, who could put anything in it",
               "run domsnap as that user, or name another folder");
    if (found.st_mode & (S_IWGRP | S_IWOTH))
        refuse(path, "may be written to by others, who could put anything in it",
               "look at what is in it, then chmod go-rwx");
}

Place::Place(const std::string& path) : name_(path) {
    auto found = find(path);
    if (!found.guarded) return;
    guarded_ = true;
    folder_ = found.guarded->folder.get();
    root_ = std::move(found.guarded);
    name_ = ".";
    std::string so_far = std::move(found.folder);
    for (const auto& part : text::split(found.rest, '/')) {
        if (part.empty() || part == ".") continue;
        if (name_ != ".") {
            so_far += "/" + name_;
            held_ = enter(folder_, name_, so_far);
            if (!held_) {
                error_ = errno;
                return;
            }
            folder_ = held_.get();
        }
        name_ = part;
    }
}

int open_at(const std::string& path, int flags, unsigned mode) {
    const Place place(path);
    const int all_flags = flags | O_CLOEXEC | (place.guarded() ? O_NOFOLLOW : 0);
    return at(place, [&](int folder, const char* name) { return ::openat(folder, name, all_flags, mode); });
}

} // namespace domsnap::os
