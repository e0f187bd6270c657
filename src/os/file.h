// Files and folders, made durable and private. Every file that domsnap makes is 0600, every folder 0700,
// whatever the umask. Below a guarded folder (os/guard.h) no symlink is followed. Errors are domsnap::Error
// (io, not_found, conflict) that name the path and the operating system's words.
#pragma once

#include "os/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap::os {

struct FileInfo {
    uint64_t size = 0;      ///< bytes
    uint64_t allocated = 0; ///< bytes on disk
    uint64_t inode = 0;
    uint64_t device = 0;
    uint32_t mode = 0;    ///< permission bits
    int64_t modified = 0; ///< epoch seconds
    bool is_regular = false, is_folder = false, is_block = false, is_symlink = false, is_socket = false;
    /// Whether both are of one file, under whatever names.
    bool is_same_file(const FileInfo& other) const { return inode == other.inode && device == other.device; }
};

/// Nothing if there is no such file. Follows symlinks unless told not to.
std::optional<FileInfo> file_info(const std::string& path, bool follow = true);
bool exists(const std::string& path);

/// The whole file; refuses (corrupt) one that is larger than max_bytes.
std::string read_file(const std::string& path, uint64_t max_bytes);
/// The same for a file of our own (what is replaced whole, or only grows), in few system calls: lists read
/// thousands. Nothing if there is no such file; a symlink, or what is no regular file, is refused (corrupt).
std::optional<std::string> read_own_file(const std::string& path, uint64_t max_bytes);
/// The first max_bytes of the file at most.
std::string read_file_start(const std::string& path, uint64_t max_bytes);

/// Temporary file beside it, write, fsync, rename over, fsync of the folder (invariant: durable before
/// visible).
void write_file_durably(const std::string& path, std::string_view content);
/// The same without the syncs, for run-time files that a crash of the host makes meaningless.
void write_file(const std::string& path, std::string_view content);

/// As the first, in a folder where others may be writing just then: what a crash leaves there is one file,
/// whose name tells whose it is, and which the next such write takes away.
void write_file_durably_among_others(const std::string& path, std::string_view content);
std::string temporary_of(const std::string& path);

/// Removes what a write cut short left in the folder. Only for who knows that nobody writes there now.
void remove_unfinished(const std::string& folder);

/// O_EXCL, 0600. Throws conflict if the path exists (a dangling symlink counts).
Fd create_exclusive(const std::string& path);
Fd open_read(const std::string& path);
Fd open_read_write(const std::string& path);
/// Bytes; of a block device too, for which file_info() says 0.
uint64_t end_of(const Fd& fd, const std::string& path_for_messages);

/// True if there was something to remove; the folder is synced.
bool remove_file_durably(const std::string& path);
void rename_durably(const std::string& from, const std::string& to);
/// The two change places in one step; both must be there. Not synced: for run-time files.
void exchange(const std::string& one, const std::string& other);
/// Makes the folder and its missing parents, 0700 each.
void make_folders(const std::string& path);
/// A folder that we made, if it is there: throws corrupt if it is a symlink, no folder, somebody else's, or
/// if others may write to it, who could then put anything in the place of what is in it. What others may read
/// is made 0700.
void require_private_folder(const std::string& path);
/// Removes a folder of ours with all that is in it (does not follow symlinks).
void remove_tree(const std::string& path);
/// The entries' names, sorted, without "." and ".."; empty if there is no such folder.
std::vector<std::string> list_folder(const std::string& path);
void sync_folder(const std::string& path);
void sync_file(const Fd& fd, const std::string& path_for_messages);
/// The bytes, and what is needed to find them; not the times. Where they lie in place already, the file
/// system has nothing to note and is much quicker.
void sync_data(const Fd& fd, const std::string& path_for_messages);

/// All of it, or an Error. At the end of the file read_at throws corrupt.
void write_at(int fd, const void* data, size_t size, uint64_t offset, const std::string& path_for_messages);
void read_at(int fd, void* data, size_t size, uint64_t offset, const std::string& path_for_messages);
void write_all(int fd, const void* data, size_t size, const std::string& path_for_messages);

struct FileRange {
    uint64_t start = 0, size = 0;
};
/// The first bytes from there on, below end, that are no hole; nothing if only a hole is left. All of them
/// where the file system does not know holes. from < end.
std::optional<FileRange> next_data(int fd, uint64_t from, uint64_t end);

/// A sparse copy (reflink where the file system can) into a new file (O_EXCL), synced. Removes it again on
/// failure.
void copy_file_sparsely(const std::string& from, const std::string& to);

bool is_writable_folder(const std::string& path);
std::string absolute_path(const std::string& path);
std::string random_bytes(size_t count);

} // namespace domsnap::os
