// Folders with disk images, for clients that choose disks out of lists: what libvirt calls storage pools (of
// type dir) and their volumes. A volume is a file, and nothing is kept of it but the file.
#pragma once

#include <domsnap/host.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsnap {

struct FolderPool {
    std::string name, folder;
};
/// STATE/pools (docs/formats/store.md). Without that file "default" is libvirt's own folder for images, where
/// root has one. Throws invalid_request naming the line.
std::vector<FolderPool> configured_pools(const Folders& folders);

struct FolderSpace {
    uint64_t capacity = 0, available = 0; ///< bytes, of the file system
};
/// Throws not_found, io.
FolderSpace space_of_pool(const std::string& folder);
/// Makes the folder if it is not there.
void make_pool_folder(const std::string& folder);

struct Volume {
    std::string name, path, format;        ///< "raw" or "qcow2"
    uint64_t capacity = 0, allocation = 0; ///< bytes
    std::string backing, backing_format;   ///< "" = it rests on nothing
    bool known = false;                    ///< of qcow2: a domain or a record says so
    bool alone = true;                     ///< it leads to no other file
    uint32_t mode = 0;
    int64_t modified = 0; ///< epoch seconds
};
/// The regular files in the folder but hidden ones, sorted. Looks into none of them, and at no domain.
std::vector<std::string> volume_names(const std::string& pool_folder);
bool is_volume(const std::string& path);
/// The format of one that a domain has as a disk is what the domain says, that of another what its first
/// bytes say: clients are told it, and nothing is opened by it. Nothing if the path (absolute) leads to no
/// regular file.
std::optional<Volume> volume(const Folders& folders, const std::string& path);

struct NewVolume {
    std::string name, format;
    uint64_t capacity = 0; ///< bytes; 0 with a backing file: as large as that
    std::string backing, backing_format;
};
/// Throws conflict if there is such a file, or a domain writes to the backing file; invalid_request;
/// unsupported for a format that domsnap does not run. Nothing is left on failure.
Volume create_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted);
/// A whole copy of the volume at the path `from` and of what it rests on, in the wanted format; larger if
/// that is wanted. Throws as create_volume(), and busy if a program writes to it. Nothing is left on failure.
Volume copy_volume(const Folders& folders, const std::string& pool_folder, const NewVolume& wanted,
                   const std::string& from, const Control& control);

// What changes or removes a volume throws conflict, naming who needs it: a domain's disk or what it rests on,
// a snapshot, a fork, whatever domsnap made, or a file beside it that rests on it; busy if a program has it
// open; not_found.
/// shrink: what is beyond the new end is lost; without it that is refused.
void resize_volume(const Folders& folders, const std::string& path, uint64_t capacity, bool shrink);
/// Zeros in the place of all its bytes: of a qcow2 nothing is left but a raw file as large as it was.
void wipe_volume(const Folders& folders, const std::string& path);
void delete_volume(const Folders& folders, const std::string& path);

/// The bytes of a volume's file, whatever its format, one piece after the other.
class VolumeReader {
  public:
    virtual ~VolumeReader() = default;
    struct Piece {
        uint64_t hole = 0; ///< so many bytes are zeros that take no room; or
        std::string data;  ///< these; neither: it is at the end
    };
    virtual Piece next() = 0;
};
/// length 0: to the end. Nobody writes to it meanwhile: busy if a program does.
std::unique_ptr<VolumeReader> read_volume(const Folders& folders, const std::string& path, uint64_t offset,
                                          uint64_t length);

class VolumeWriter {
  public:
    virtual ~VolumeWriter() = default;
    virtual void write(std::string_view bytes) = 0;
    virtual void skip(uint64_t bytes) = 0; ///< they are zeros, and take no room
    virtual void finish() = 0;             ///< it is durable then
};
/// In place, and what is not written stays: a volume that is left before finish() is part new and part old.
/// length: how much will come at most, 0 = as it comes.
std::unique_ptr<VolumeWriter> overwrite_volume(const Folders& folders, const std::string& path,
                                               uint64_t offset, uint64_t length);

} // namespace domsnap
