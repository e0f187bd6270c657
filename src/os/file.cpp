#include "os/file.h"

#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/place.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace domsnap::os {

static FileInfo from_stat(const struct stat& st) {
    return {.size = static_cast<uint64_t>(st.st_size),
            .allocated = static_cast<uint64_t>(st.st_blocks) * 512,
            .inode = st.st_ino,
            .device = st.st_dev,
            .mode = st.st_mode & 07777U,
            .modified = st.st_mtime,
            .is_regular = S_ISREG(st.st_mode),
            .is_folder = S_ISDIR(st.st_mode),
            .is_block = S_ISBLK(st.st_mode),
            .is_symlink = S_ISLNK(st.st_mode),
            .is_socket = S_ISSOCK(st.st_mode)};
}

static bool says_absent(int error) { return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG; }

std::optional<FileInfo> file_info(const std::string& path, bool follow) {
    struct stat st {};
    const Place place(path);
    const int flags = follow && !place.guarded() ? 0 : AT_SYMLINK_NOFOLLOW;
    if (at(place, [&](int folder, const char* name) { return ::fstatat(folder, name, &st, flags); }) == 0)
        return from_stat(st);
    if (says_absent(errno)) return std::nullopt;
    fail("look at", path);
}

bool exists(const std::string& path) { return file_info(path).has_value(); }

static Fd open_or_fail(const std::string& path, int flags) {
    Fd fd(uninterrupted([&] { return open_at(path, flags | O_NOCTTY); }));
    if (!fd) fail("open", path);
    return fd;
}

Fd open_read(const std::string& path) { return open_or_fail(path, O_RDONLY); }
Fd open_read_write(const std::string& path) { return open_or_fail(path, O_RDWR); }

uint64_t end_of(const Fd& fd, const std::string& path_for_messages) {
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    if (end < 0) fail("look at", path_for_messages);
    return static_cast<uint64_t>(end);
}

Fd create_exclusive(const std::string& path) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOCTTY;
    Fd fd(effect({Effect::Kind::make_file, path},
                 [&] { return uninterrupted([&] { return open_at(path, flags, 0600); }); }));
    if (!fd) fail("create", path);
    // The umask may have taken our own bits.
    if (effect({Effect::Kind::set_mode, path, {}, fd.get()}, [&] { return ::fchmod(fd.get(), 0600); }) != 0)
        fail("set the permissions of", path);
    return fd;
}

// Until the end, not by the size: files in /proc say 0. O_NONBLOCK, so that a FIFO with no writer does not
// hang us.
static std::string read_up_to(const std::string& path, uint64_t limit) {
    const Fd fd = open_or_fail(path, O_RDONLY | O_NONBLOCK);
    std::string content;
    while (content.size() < limit) {
        const size_t have = content.size();
        const size_t want = std::min<uint64_t>(limit - have, std::max<size_t>(have, 16384));
        content.resize(have + want);
        const ssize_t got = uninterrupted([&] { return ::read(fd.get(), content.data() + have, want); });
        if (got < 0) fail("read", path);
        content.resize(have + static_cast<size_t>(got));
        if (got == 0) break;
    }
    return content;
}

std::string read_file(const std::string& path, uint64_t max_bytes) {
    std::string content = read_up_to(path, max_bytes + 1);
    if (content.size() > max_bytes) refuse_size(path, max_bytes);
    return content;
}

std::string read_file_start(const std::string& path, uint64_t max_bytes) {
    return read_up_to(path, max_bytes);
}

static void sync_by(int (*call)(int), const Fd& fd, const std::string& path_for_messages) {
    const auto sync = [&] { return uninterrupted([&] { return call(fd.get()); }); };
    if (effect({Effect::Kind::sync, path_for_messages, {}, fd.get()}, sync) != 0)
        fail("write to disk", path_for_messages);
}

void sync_file(const Fd& fd, const std::string& path_for_messages) {
    sync_by(::fsync, fd, path_for_messages);
}

void sync_data(const Fd& fd, const std::string& path_for_messages) {
    sync_by(::fdatasync, fd, path_for_messages);
}

void write_at(int fd, const void* data, size_t size, uint64_t offset, const std::string& path_for_messages) {
    auto from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t wrote = effect({Effect::Kind::write, path_for_messages, {}, fd}, [&] {
            return uninterrupted([&] { return ::pwrite(fd, from, size, static_cast<off_t>(offset)); });
        });
        if (wrote < 0) fail("write", path_for_messages);
        from += wrote;
        size -= static_cast<size_t>(wrote);
        offset += static_cast<uint64_t>(wrote);
    }
}

void read_at(int fd, void* data, size_t size, uint64_t offset, const std::string& path_for_messages) {
    auto to = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t got = uninterrupted([&] { return ::pread(fd, to, size, static_cast<off_t>(offset)); });
        if (got < 0) fail("read", path_for_messages);
        if (got == 0)
            throw Error(ErrorCode::corrupt,
                        fmt::format("'{}' ends at byte {}, where {} more bytes were expected",
                                    text::printable(path_for_messages), offset, size));
        to += got;
        size -= static_cast<size_t>(got);
        offset += static_cast<uint64_t>(got);
    }
}

std::string absolute_path(const std::string& path) {
    std::string whole = path;
    if (!text::starts_with_slash(path)) {
        char* const here = ::getcwd(nullptr, 0);
        if (!here) fail("find the current folder for", path);
        whole = std::string(here) + "/" + path;
        ::free(here);
    }
    // ".." stays: what is above a symlink is not what the text says.
    std::string clean;
    for (const std::string& part : text::split(whole, '/'))
        if (!part.empty() && part != ".") clean += "/" + part;
    return clean.empty() ? "/" : clean;
}

std::string random_bytes(size_t count) {
    std::string bytes(count, '\0');
    for (size_t have = 0; have < count;) {
        const ssize_t got = uninterrupted([&] { return ::getrandom(bytes.data() + have, count - have, 0); });
        if (got < 0) fail("draw random bytes from", "getrandom(2)");
        have += static_cast<size_t>(got);
    }
    return bytes;
}

} // namespace domsnap::os
