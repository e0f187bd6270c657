// A folder that is held open, to look at many of its files: a list looks at ten thousand. Nothing in it is
// followed.
#pragma once

#include <cstdint>
#include <dirent.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace domsnap::os {

/// While these stay the same, so does what the file holds: one that is replaced is another, and the kernel
/// notes when one was written to. Times are nanoseconds since 1970, and as exact as its clock's ticks.
struct FileStamp {
    uint64_t inode = 0, size = 0;
    uint64_t modified = 0, changed = 0; ///< the content; that, or anything else about the file
    bool operator==(const FileStamp&) const = default;
};

class OpenFolder {
  public:
    /// Holds nothing if there is no such folder.
    explicit OpenFolder(const std::string& path);
    /// The descriptor becomes the folder's.
    OpenFolder(int fd, std::string path);
    explicit operator bool() const { return static_cast<bool>(folder_); }
    int descriptor() const { return ::dirfd(folder_.get()); }

    /// Without "." and "..", in no order.
    std::vector<std::string> names() const;
    /// Nothing if there is no such file.
    std::optional<FileStamp> stamp(const std::string& name) const;

    struct Read {
        std::string content;
        FileStamp stamp; ///< from before it was read
    };
    /// As read_own_file.
    std::optional<Read> read(const std::string& name, uint64_t max_bytes) const;

  private:
    struct Close {
        void operator()(DIR* folder) const { ::closedir(folder); }
    };
    std::unique_ptr<DIR, Close> folder_;
    std::string path_;
};

} // namespace domsnap::os
