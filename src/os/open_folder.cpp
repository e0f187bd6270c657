#include "os/open_folder.h"

#include "base/text.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/place.h"

#include <fmt/format.h>

namespace domsnap::os {

static uint64_t nanoseconds(const timespec& time) {
    return time.tv_sec < 0
               ? 0
               : static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

static FileStamp stamp_of(const struct stat& st) {
    return {.inode = st.st_ino,
            .size = static_cast<uint64_t>(st.st_size),
            .modified = nanoseconds(st.st_mtim),
            .changed = nanoseconds(st.st_ctim)};
}

OpenFolder::OpenFolder(int fd, std::string path) : path_(std::move(path)) {
    folder_.reset(::fdopendir(fd));
    if (folder_) return;
    Fd(fd).reset();
    fail("list the folder", path_);
}

OpenFolder::OpenFolder(const std::string& path) : path_(path) {
    const int fd = open_at(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT) return;
    if (fd < 0) fail("list the folder", path);
    *this = OpenFolder(fd, path);
}

std::vector<std::string> OpenFolder::names() const {
    std::vector<std::string> names;
    if (!folder_) return names;
    ::rewinddir(folder_.get());
    for (errno = 0; const dirent* entry = ::readdir(folder_.get()); errno = 0) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) fail("list the folder", path_);
    return names;
}

std::optional<FileStamp> OpenFolder::stamp(const std::string& name) const {
    struct stat st {};
    if (::fstatat(descriptor(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return stamp_of(st);
    if (errno == ENOENT) return std::nullopt;
    fail("look at", path_ + "/" + name);
}

[[noreturn]] static void refuse_kind(const std::string& path) {
    throw Error(ErrorCode::corrupt, fmt::format("'{}' is not a regular file", text::printable(path)));
}

/// In few system calls.
static OpenFolder::Read read_open(const Fd& fd, const std::string& path, uint64_t max_bytes) {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) fail("look at", path);
    if (!S_ISREG(st.st_mode)) refuse_kind(path);
    OpenFolder::Read read{{}, stamp_of(st)};
    if (read.stamp.size > max_bytes) refuse_size(path, max_bytes);
    read.content.resize(read.stamp.size);
    read_at(fd.get(), read.content.data(), read.content.size(), 0, path);
    return read;
}

constexpr int own_file = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK; // a FIFO must not hang us

/// Nothing if there is no such file.
static std::optional<OpenFolder::Read> read_own(int opened, const std::string& path, uint64_t max_bytes) {
    const int error = errno;
    const Fd fd(opened);
    if (fd) return read_open(fd, path, max_bytes);
    if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG) return std::nullopt;
    if (error == ELOOP || error == ENXIO) refuse_kind(path); // a symlink, a socket
    throw failure("open", path, error);
}

std::optional<OpenFolder::Read> OpenFolder::read(const std::string& name, uint64_t max_bytes) const {
    const auto open = [&] { return ::openat(descriptor(), name.c_str(), own_file); };
    return read_own(uninterrupted(open), path_ + "/" + name, max_bytes);
}

std::optional<std::string> read_own_file(const std::string& path, uint64_t max_bytes) {
    auto read = read_own(uninterrupted([&] { return open_at(path, own_file); }), path, max_bytes);
    if (!read) return std::nullopt;
    return std::move(read->content);
}

} // namespace domsnap::os
