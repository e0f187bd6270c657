// A sparse copy of a file: shared blocks where the file system can share, holes kept where it cannot.
#include "base/text.h"
#include "os/effect.h"
#include "os/failure.h"
#include "os/file.h"
#include "os/place.h"

#include <algorithm>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace domsnap::os {

namespace {
struct Copy {
    const Fd& in;
    const Fd& out;
    const std::string& from;
    const std::string& to;
    bool in_kernel = true; ///< until copy_file_range(2) refuses this pair of files
};
} // namespace

static bool cannot_in_kernel(int error) {
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EBADF;
}

static uint64_t copy_by_hand(const Copy& copy, off_t at, uint64_t length) {
    std::string chunk(std::min<uint64_t>(length, 1 << 20), '\0');
    const ssize_t got = uninterrupted([&] { return ::pread(copy.in.get(), chunk.data(), chunk.size(), at); });
    if (got < 0) fail("read", copy.from);
    chunk.resize(static_cast<size_t>(got));
    if (chunk.find_first_not_of('\0') != std::string::npos)
        write_at(copy.out.get(), chunk.data(), chunk.size(), static_cast<uint64_t>(at), copy.to);
    return chunk.size();
}

static uint64_t copy_some(Copy& copy, off_t at, uint64_t length) {
    if (copy.in_kernel) {
        off_t read_at_offset = at, write_at_offset = at;
        const size_t most = std::min<uint64_t>(length, 1U << 30);
        const auto in_kernel = [&] {
            return ::copy_file_range(copy.in.get(), &read_at_offset, copy.out.get(), &write_at_offset, most,
                                     0);
        };
        const ssize_t copied = effect({Effect::Kind::write, copy.to, {}, copy.out.get()},
                                      [&] { return uninterrupted(in_kernel); });
        if (copied > 0) return static_cast<uint64_t>(copied);
        if (copied < 0 && !cannot_in_kernel(errno))
            fail("copy '" + text::printable(copy.from) + "' to", copy.to);
        copy.in_kernel = false; // 0 where there is data: file systems like /proc
    }
    return copy_by_hand(copy, at, length);
}

static void copy_range(Copy& copy, off_t at, off_t end) {
    while (at < end) {
        const uint64_t copied = copy_some(copy, at, static_cast<uint64_t>(end - at));
        if (copied == 0)
            throw Error(ErrorCode::conflict,
                        "'" + text::printable(copy.from) + "' became shorter while it was copied");
        at += static_cast<off_t>(copied);
    }
}

std::optional<FileRange> next_data(int fd, uint64_t from, uint64_t end) {
    const off_t data = ::lseek(fd, static_cast<off_t>(from), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return std::nullopt; // only a hole is left
    if (data < 0) return FileRange{from, end - from};    // a file system that does not know holes
    const auto start = static_cast<uint64_t>(data);
    if (start >= end) return std::nullopt;
    const off_t hole = ::lseek(fd, data, SEEK_HOLE);
    return FileRange{start, (hole < 0 ? end : std::min(end, static_cast<uint64_t>(hole))) - start};
}

static void copy_data(Copy& copy, uint64_t size) {
    uint64_t at = 0;
    while (at < size) {
        const auto data = next_data(copy.in.get(), at, size);
        if (!data) return;
        at = data->start + data->size;
        copy_range(copy, static_cast<off_t>(data->start), static_cast<off_t>(at));
    }
}

static void copy_content(const Fd& in, const Fd& out, const std::string& from, const std::string& to) {
    const auto clone = [&] { return ::ioctl(out.get(), FICLONE, in.get()); };
    if (effect({Effect::Kind::write, to, {}, out.get()}, clone) == 0) return;
    const off_t size = ::lseek(in.get(), 0, SEEK_END); // of a block device too
    if (size < 0) fail("find the size of", from);
    const auto resize = [&] { return ::ftruncate(out.get(), size); };
    if (effect({Effect::Kind::resize, to, {}, out.get()}, resize) != 0) fail("set the size of", to);
    Copy copy{in, out, from, to};
    copy_data(copy, static_cast<uint64_t>(size));
}

void copy_file_sparsely(const std::string& from, const std::string& to) {
    const Fd in = open_read(from);
    const Fd out = create_exclusive(to);
    try {
        copy_content(in, out, from, to);
        sync_file(out, to);
        sync_folder(text::folder_of(to));
    } catch (...) {
        const auto remove = [](int folder, const char* name) { return ::unlinkat(folder, name, 0); };
        effect({Effect::Kind::remove, to}, [&] { return at(to, remove); });
        throw;
    }
}

} // namespace domsnap::os
