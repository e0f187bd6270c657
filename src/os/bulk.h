// Big transfers: whole chunks from a pipe, scattered pieces into a sparse file, a stream to a reader that may
// stall or go away. Knows nothing of what the bytes mean.
#pragma once

#include "os/fd.h"
#include "os/lock.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace domsnap::os {

/// Blocks until max bytes were read or the stream ended; returns how many. Error: io.
size_t read_chunk(int fd, void* into, size_t max);

struct Piece {
    const void* data = nullptr;
    size_t size = 0; ///< not 0
};
/// The pieces one behind the other from offset on, in as few system calls as the kernel allows. Returns 0 or
/// the error number: the caller knows more to say about a full disk than this room does.
[[nodiscard]] int write_pieces_at(int fd, std::span<const Piece> pieces, uint64_t offset);

void resize_file(const Fd& fd, uint64_t size, const std::string& path_for_messages);
/// The range reads as zeros afterwards and takes no room, where the file system has holes.
void punch_hole(const Fd& fd, uint64_t offset, uint64_t size, const std::string& path_for_messages);
/// Asks the kernel to begin writing the file's dirty pages, so that a later fsync finds little left. A wish
/// only.
void start_writeback(const Fd& fd);

/// A lock on the file behind a descriptor of ours; it is shared with the processes that inherit the
/// descriptor and lasts until the last of them has closed it. False if somebody else has it. Does not touch
/// the file's content, which FileLock does.
bool try_lock(const Fd& fd, LockMode mode, const std::string& path_for_messages);

/// Writes all of it as the reader reads. Sets O_NONBLOCK on fd; asks should_stop about every 100 ms and
/// returns false when it says so. Error: io if the reader is gone (never SIGPIPE).
bool write_as_read(int fd, const void* data, size_t size, const std::function<bool()>& should_stop,
                   const std::string& name_for_messages);

/// One short line (at most 4096 bytes) into a pipe, all or nothing and without waiting. False if there is no
/// room, more than max_unread bytes wait already, or nobody reads (never SIGPIPE).
bool write_line_if_room(int fd, std::string_view line, size_t max_unread);

} // namespace domsnap::os
